//! The campaign at full length: `scripts/soak sending`.

use std::fmt::Write;
use std::time::Instant;

use super::campaign::{BARE, Campaign, Moment, SAVING, Tally};
use crate::support::Backend;

/// Kills at each moment unless told otherwise.
const KILLS: usize = 25;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a long time; scripts/soak runs it"]
async fn sending_under_many_kills() {
    let kills = std::env::var("DUPLEX_SOAK_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let backends = match std::env::var("DUPLEX_SOAK_DATABASE").as_deref() {
        Ok("postgres") => vec![Backend::Postgres],
        Ok("both") => vec![Backend::Sqlite, Backend::Postgres],
        _ => vec![Backend::Sqlite],
    };
    let mut report = String::new();
    let mut bad = 0;
    for backend in backends {
        let began = Instant::now();
        let mut campaign = Campaign::start(backend).await;
        // Moment after moment, not moment by moment: what one kill left is in the way of the next.
        for round in 0..kills {
            for moment in Moment::ALL {
                let way = if round % 2 == 0 || moment == Moment::SentAppend { BARE } else { SAVING };
                campaign.kill_at(moment, way).await;
            }
            eprintln!("{backend:?}: round {} of {kills}, {} s", round + 1, began.elapsed().as_secs());
        }
        let fates = campaign.fates().await;
        for (mail, fate) in campaign.mails.iter().zip(&fates) {
            if fate.taken > 1 || fate.copies > 1 || !["sent", "uncertain"].contains(&fate.status.as_str()) {
                eprintln!("{} at {:?}: first {}, then {fate:?}", mail.id, mail.moment, mail.first);
            }
        }
        let tallies = campaign.tally(&fates);
        writeln!(report, "\n{backend:?}, {kills} kills at each moment, {} s\n", began.elapsed().as_secs()).unwrap();
        report.push_str(&table(&Moment::ALL.map(|moment| (moment.words(), tallies[&moment]))));
        bad += tallies.values().map(|tally| tally.lost + tally.double).sum::<usize>();
    }
    println!("{report}");
    if let Ok(path) = std::env::var("DUPLEX_SOAK_REPORT") {
        std::fs::write(path, &report).unwrap();
    }
    assert_eq!(bad, 0, "mails were lost or doubled");
}

fn table(lines: &[(&str, Tally)]) -> String {
    let mut text = format!(
        "{:<46}{:>6}{:>6}{:>8}{:>11}{:>6}{:>8}\n",
        "killed", "kills", "sent", "of them", "uncertain", "lost", "double"
    );
    writeln!(text, "{:<46}{:>6}{:>6}{:>8}", "", "", "", "found").unwrap();
    let mut sum = Tally::default();
    for (words, one) in lines {
        line(&mut text, words, *one);
        sum = Tally {
            kills: sum.kills + one.kills,
            sent: sum.sent + one.sent,
            found: sum.found + one.found,
            uncertain: sum.uncertain + one.uncertain,
            lost: sum.lost + one.lost,
            double: sum.double + one.double,
        };
    }
    line(&mut text, "all", sum);
    text
}

fn line(text: &mut String, words: &str, tally: Tally) {
    let Tally { kills, sent, found, uncertain, lost, double } = tally;
    writeln!(text, "{words:<46}{kills:>6}{sent:>6}{found:>8}{uncertain:>11}{lost:>6}{double:>8}").unwrap();
}
