/// One thing that was found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Says which it is, and stays the same.
    pub code: &'static str,
    /// What it means for the map.
    pub weight: Weight,
    /// The same for people.
    pub sentence: String,
    /// What to do; `None` if there is nothing to be done.
    pub advice: Option<&'static str>,
}

/// What a finding means for the map. The heavier comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// It keeps the car off the map.
    Cause,
    /// It may be why the map is not as expected.
    Doubt,
    /// It could not be found out.
    Unknown,
    /// It is as it should be.
    Fine,
}

impl Weight {
    /// A stable name for interfaces.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cause => "cause",
            Self::Doubt => "doubt",
            Self::Unknown => "unknown",
            Self::Fine => "fine",
        }
    }
}

/// Whether the car is on the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Nothing keeps it off.
    OnMap,
    /// Something keeps it off.
    NotOnMap,
    /// Nothing that is known keeps it off, but not all is known.
    Unknown,
}

impl Verdict {
    /// A stable name for interfaces.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OnMap => "on_map",
            Self::NotOnMap => "not_on_map",
            Self::Unknown => "unknown",
        }
    }
}

/// All that was found out of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What it comes to.
    pub verdict: Verdict,
    /// The heaviest first; those of the same weight in the order of a record's way.
    pub findings: Vec<Finding>,
}

impl Explanation {
    /// What these findings, in the order of a record's way, come to.
    pub(super) fn of(mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| finding.weight);
        let has = |weight| findings.iter().any(|finding| finding.weight == weight);
        let verdict = match () {
            () if has(Weight::Cause) => Verdict::NotOnMap,
            () if has(Weight::Unknown) => Verdict::Unknown,
            () => Verdict::OnMap,
        };
        Self { verdict, findings }
    }
}

impl Finding {
    pub(super) fn cause(code: &'static str, sentence: impl Into<String>, advice: &'static str) -> Self {
        Self { code, weight: Weight::Cause, sentence: sentence.into(), advice: Some(advice) }
    }

    pub(super) fn doubt(code: &'static str, sentence: impl Into<String>, advice: &'static str) -> Self {
        Self { code, weight: Weight::Doubt, sentence: sentence.into(), advice: Some(advice) }
    }

    pub(super) fn unknown(code: &'static str, sentence: impl Into<String>, advice: &'static str) -> Self {
        Self { code, weight: Weight::Unknown, sentence: sentence.into(), advice: Some(advice) }
    }

    pub(super) fn fine(code: &'static str, sentence: impl Into<String>) -> Self {
        Self { code, weight: Weight::Fine, sentence: sentence.into(), advice: None }
    }
}
