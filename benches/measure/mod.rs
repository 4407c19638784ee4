//! Measuring processes: wall time, processor time, memory.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// What a piece of work took.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Seconds on the wall.
    pub wall: f64,
    /// Seconds of processor time, all threads together.
    pub cpu: f64,
    /// The most memory it held, in MB; 0 where it was not measured.
    pub peak_mb: f64,
}

/// Runs a command to its end.
pub fn command(command: &mut Command) -> Usage {
    let (cpu, began) = (children_cpu(), Instant::now());
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
    Usage { wall: began.elapsed().as_secs_f64(), cpu: children_cpu() - cpu, peak_mb: 0.0 }
}

/// Clock ticks a second, as Linux shows them to programs on every machine this runs on.
const TICKS: f64 = 100.0;

/// Processor time of the children that have ended, in seconds.
fn children_cpu() -> f64 {
    ticks(Path::new("/proc/self/stat"), &[15, 16])
}

/// Processor time of a running process, in seconds.
pub fn cpu(pid: u32) -> f64 {
    ticks(Path::new(&format!("/proc/{pid}/stat")), &[13, 14])
}

/// Adds fields of a `stat` file, counted from 0.
fn ticks(path: &Path, fields: &[usize]) -> f64 {
    let text = std::fs::read_to_string(path).unwrap();
    // The name in parentheses may hold spaces; the fields behind it do not.
    let behind: Vec<&str> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields.iter().map(|field| behind[field - 2].parse::<f64>().unwrap()).sum::<f64>() / TICKS
}

/// A size from `/proc/<pid>/status`, such as `VmHWM` or `VmRSS`, in MB.
pub fn memory(pid: u32, field: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with(&format!("{field}:"))).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// The middle of the values.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value below which this share of them lies.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place")]
    let place = ((sorted.len() - 1) as f64 * share).round() as usize;
    sorted[place]
}

/// Milliseconds, for people.
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// A number from the environment.
pub fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// How busy the machine is, since figures of different hours do not compare.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}
