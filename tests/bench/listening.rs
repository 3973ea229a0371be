//! Who listens to the traces of the program while it is measured.

use processor_tests::Collector;

/// What there is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Listening {
    /// Nothing: there is no tracing.
    None,
    /// A collector that takes what it is sent.
    Live,
    /// A port that nobody listens at.
    Dead,
    /// A collector that takes the connection and never answers.
    Silent,
}

/// A listener that is there for as long as this is.
pub(crate) struct Listener {
    /// Where it is, if there is tracing.
    pub(crate) url: Option<String>,
    _collector: Option<Collector>,
}

impl Listening {
    /// By its name on the command line.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::None, Self::Live, Self::Dead, Self::Silent].into_iter().find(|one| one.name() == name)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Live => "live",
            Self::Dead => "dead",
            Self::Silent => "silent",
        }
    }

    pub(crate) async fn start(self) -> anyhow::Result<Listener> {
        let collector = match self {
            Self::None => return Ok(Listener { url: None, _collector: None }),
            Self::Silent => Collector::silent().await?,
            Self::Live | Self::Dead => Collector::start().await?,
        };
        // A dead one has been there: so nobody else has its port.
        let url = Some(collector.url().to_owned());
        Ok(Listener { url, _collector: Some(collector).filter(|_| self != Self::Dead) })
    }
}
