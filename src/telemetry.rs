//! Logs and metrics.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::time::ChronoUtc;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;

/// Libraries that write what passes over a wire, passwords included, at these levels and below.
///
/// They stay quiet whatever `RUST_LOG` asks for: no secret is logged even at `trace`.
const CHATTY: &[&str] = &["tokio_postgres", "rustls", "reqwest", "hyper", "hyper_util", "h2"];

/// Starts logging; a second call changes nothing (tests start many applications).
pub fn init(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let mut filter: EnvFilter = filter.parse().map_err(|error| anyhow::anyhow!("RUST_LOG is not a filter: {error}"))?;
    for target in CHATTY {
        filter = filter.add_directive(format!("{target}={}", LevelFilter::WARN).parse()?);
    }
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Pretty => {
            registry.with(layer.with_timer(ChronoUtc::new("%H:%M:%S%.3f".to_owned())).with_target(false)).try_init()
        }
        LogFormat::Json => registry.with(layer.json().flatten_event(true).with_current_span(false)).try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
    Ok(())
}

/// The figures that `/metrics` shows.
pub struct Metrics {
    registry: Registry,
    /// Requests by method, route and status.
    pub requests: Family<RequestLabels, Counter>,
    /// Seconds that requests took.
    pub request_seconds: Histogram,
    /// Mails stored.
    pub mails_stored: Counter,
    /// Mails set aside, with a reason.
    pub mails_skipped: Counter,
    /// Syncs by their outcome.
    pub syncs: Family<OutcomeLabels, Counter>,
    /// Syncs that run now.
    pub syncs_running: Gauge,
}

/// Labels of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// GET, POST, …
    pub method: String,
    /// The route's pattern, never the path itself.
    pub route: String,
    /// The HTTP status.
    pub status: u16,
}

/// How something ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OutcomeLabels {
    /// `ok` or an error code.
    pub outcome: String,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("duplex");
        let requests = Family::default();
        let request_seconds = Histogram::new(exponential_buckets(0.001, 2.0, 14));
        let (mails_stored, mails_skipped) =
            (Counter::<u64, AtomicU64>::default(), Counter::<u64, AtomicU64>::default());
        let (syncs, syncs_running) = (Family::default(), Gauge::default());
        registry.register("http_requests", "HTTP requests answered", requests.clone());
        registry.register_with_unit(
            "http_request_duration",
            "Time to answer a request",
            Unit::Seconds,
            request_seconds.clone(),
        );
        registry.register("mails_stored", "Mails stored", mails_stored.clone());
        registry.register("mails_skipped", "Mails set aside with a reason", mails_skipped.clone());
        registry.register("syncs", "Syncs by outcome", syncs.clone());
        registry.register("syncs_running", "Syncs that run now", syncs_running.clone());
        Self { registry, requests, request_seconds, mails_stored, mails_skipped, syncs, syncs_running }
    }
}

impl Metrics {
    /// Writes all figures in the OpenMetrics text format.
    pub fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
