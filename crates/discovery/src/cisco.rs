//! The SRV names of Cisco services (the seed, "Client Queries the Name Server"; reference
//! discovery.md section 3): what to ask, and what the answers mean.

use std::net::{IpAddr, SocketAddr};

use offhook_model::{Area, Outcome, Owner, Preset, Problem};
use offhook_ports::{Found, Srv, Target};

use crate::asked::{Asked, Fate, Notes, show_srv};
use crate::rank;

/// The three services in their order of precedence.
pub(crate) const NAMES: [&str; 3] = ["_cisco-uds._tcp", "_cuplogin._tcp", "_collab-edge._tls"];
/// Fixed first part of the pinpoint zone (the seed, "Use a Pinpoint Subdomain Zone").
const PINPOINT: &str = "cisco-internal";

/// A question that is not always asked.
#[derive(Clone, Debug)]
pub(crate) enum Slot {
    /// It is not asked; why, in words.
    Skipped(&'static str),
    /// It is under way.
    Waiting,
    /// It was answered.
    Came(Asked<Srv>),
}

impl Slot {
    fn asked(&self) -> Option<&Asked<Srv>> {
        match self {
            Self::Came(asked) => Some(asked),
            Self::Skipped(_) | Self::Waiting => None,
        }
    }

    /// It is answered or never will be, and there is nothing in it.
    fn is_empty(&self) -> bool {
        match self {
            Self::Skipped(_) => true,
            Self::Waiting => false,
            Self::Came(asked) => asked.usable().is_empty(),
        }
    }

    fn is_found(&self) -> bool {
        self.asked().is_some_and(|asked| !asked.usable().is_empty())
    }
}

/// The answers as far as they have come. Names 0 to 2 are the domain's own, 3 and 4 the two inner
/// ones of the pinpoint zone.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    domain: String,
    slots: [Slot; 5],
}

/// Which records count, in the order of precedence: inner records of the domain, then of the
/// pinpoint zone, then the edge's.
const PRECEDENCE: [usize; 5] = [0, 1, 3, 4, 2];

/// What the answers say so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// An answer that may decide is still to come.
    Open,
    /// The records of this name decide.
    Decided(usize),
    /// There is nothing that can be used.
    Nothing,
}

impl Answers {
    /// Nothing is asked, for this reason.
    pub(crate) fn unasked(domain: &str, why: &'static str) -> Self {
        let slots = std::array::from_fn(|_| Slot::Skipped(why));
        Self { domain: domain.to_owned(), slots }
    }

    /// Everything that may be asked in the first round is under way.
    pub(crate) fn begin(domain: &str, preset: &Preset) -> Self {
        let unless =
            |excluded: bool, why| if excluded { Slot::Skipped(why) } else { Slot::Waiting };
        let later = |excluded: bool, why| {
            Slot::Skipped(match (excluded, preset.pinpoint) {
                (true, _) => why,
                (false, true) => {
                    "asked only when no inner record and nothing of higher rank has answered"
                }
                (false, false) => "the pinpoint zone is switched off",
            })
        };
        let slots = [
            unless(preset.excluded.cucm, "CUCM is excluded"),
            unless(preset.excluded.cup, "CUP is excluded"),
            Slot::Waiting,
            later(preset.excluded.cucm, "CUCM is excluded"),
            later(preset.excluded.cup, "CUP is excluded"),
        ];
        Self { domain: domain.to_owned(), slots }
    }

    /// The name of a question.
    pub(crate) fn name(&self, index: usize) -> String {
        match index {
            0..=2 => format!("{}.{}", NAMES[index], self.domain),
            _ => format!("{}.{PINPOINT}.{}", NAMES[(index - 3).min(2)], self.domain),
        }
    }

    /// The questions of the first round.
    pub(crate) fn first_round(&self) -> Vec<usize> {
        (0..3).filter(|index| matches!(self.slots[*index], Slot::Waiting)).collect()
    }

    /// The questions of the second round, once: the pinpoint zone is asked when neither inner
    /// record came.
    pub(crate) fn second_round(&mut self, preset: &Preset) -> Vec<usize> {
        let untouched =
            matches!((&self.slots[3], &self.slots[4]), (Slot::Skipped(_), Slot::Skipped(_)));
        if !untouched || !preset.pinpoint || !self.slots[..2].iter().all(Slot::is_empty) {
            return vec![];
        }
        let excluded = [preset.excluded.cucm, preset.excluded.cup];
        let asked: Vec<usize> = (3..5).filter(|index| !excluded[index - 3]).collect();
        for index in &asked {
            self.slots[*index] = Slot::Waiting;
        }
        asked
    }

    pub(crate) fn put(&mut self, index: usize, asked: Asked<Srv>) {
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = Slot::Came(asked);
        }
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.slots.iter().any(|slot| matches!(slot, Slot::Waiting))
    }

    pub(crate) fn standing(&self) -> Standing {
        for index in PRECEDENCE {
            match &self.slots[index] {
                Slot::Waiting => return Standing::Open,
                slot if slot.is_found() => return Standing::Decided(index),
                Slot::Skipped(_) | Slot::Came(_) => {}
            }
        }
        Standing::Nothing
    }

    /// Who is found by the records of this name.
    pub(crate) fn found(&self, index: usize, seed: u64) -> Found {
        let targets = self.targets(index, seed);
        match index {
            0 | 3 => Found::Cucm(targets),
            1 | 4 => Found::Cup(targets),
            _ => Found::Edge(targets),
        }
    }

    /// Communications Manager of a hybrid account; the domain's own record before the pinpoint
    /// zone's.
    pub(crate) fn voice(&self, seed: u64) -> Vec<Target> {
        let own = self.targets(0, seed);
        if own.is_empty() { self.targets(3, seed) } else { own }
    }

    pub(crate) fn voice_is_waiting(&self) -> bool {
        [0, 3].into_iter().any(|index| matches!(self.slots[index], Slot::Waiting))
    }

    fn targets(&self, index: usize, seed: u64) -> Vec<Target> {
        let records = self.slots.get(index).and_then(Slot::asked).map(Asked::usable);
        let target = |record: Srv| Target { host: record.target, port: record.port };
        rank(records.unwrap_or_default(), seed).into_iter().map(target).collect()
    }

    /// `inside`, `outside` or `unknown`, by the records that answered.
    pub(crate) fn network(&self) -> &'static str {
        if self.inner().next().is_some() {
            "inside"
        } else if self.slots[2].is_found() {
            "outside"
        } else {
            "unknown"
        }
    }

    fn inner(&self) -> impl Iterator<Item = &Asked<Srv>> {
        [0, 1, 3, 4].into_iter().filter_map(|index| {
            let slot = &self.slots[index];
            slot.is_found().then(|| slot.asked()).flatten()
        })
    }

    /// What the inner records lead to, in words; nothing when there are none.
    pub(crate) fn inner_words(&self) -> Option<&'static str> {
        let found =
            |one: usize, other: usize| self.slots[one].is_found() || self.slots[other].is_found();
        match (found(0, 3), found(1, 4)) {
            (true, _) => Some("Communications Manager"),
            (false, true) => Some("IM and Presence"),
            (false, false) => None,
        }
    }

    /// The seed: the `_cuplogin` record sets the default server of the Advanced settings window.
    pub(crate) fn suggested_server(&self, seed: u64) -> Option<String> {
        let targets = [1, 4].map(|index| self.targets(index, seed));
        let target = targets.into_iter().flatten().next()?;
        let Target { host, port } = target;
        Some(if port == 8443 { host } else { format!("{host}:{port}") })
    }

    /// What failed, in the order of the names.
    pub(crate) fn failures(&self) -> Vec<Problem> {
        self.slots
            .iter()
            .filter_map(Slot::asked)
            .filter_map(|it| it.problem(&self.domain))
            .collect()
    }

    /// Nobody answered any question of the first round: there is no use in judging by others.
    pub(crate) fn all_failed(&self) -> bool {
        let asked: Vec<_> = self.slots[..3].iter().filter_map(Slot::asked).collect();
        !asked.is_empty() && asked.iter().all(|asked| asked.failure().is_some())
    }

    /// What is wrong with the records themselves (D04).
    pub(crate) fn bad_targets(&self) -> Vec<Problem> {
        self.slots.iter().filter_map(Slot::asked).flat_map(Asked::bad_targets).collect()
    }

    /// The steps, and what should be mended. `decider` says in words who decided, `won` which name
    /// did if one of these.
    pub(crate) fn judge(&self, notes: &mut Notes<'_>, won: Option<usize>, decider: &str) {
        for (index, slot) in self.slots.iter().enumerate() {
            let step = if index < 3 { "srv" } else { "pinpointSrv" };
            let asked = format!("SRV {}", self.name(index));
            match slot {
                Slot::Skipped(why) => {
                    notes.local(step, &asked, "not asked", (Outcome::Skipped, *why));
                }
                Slot::Waiting => {
                    let why = format!("{decider}; its answer was not waited for");
                    notes.local(step, &asked, "no answer yet", (Outcome::Skipped, why));
                }
                Slot::Came(answer) if won == Some(index) => {
                    notes.judge(step, answer, Fate::Won("this record decides"), show_srv);
                }
                Slot::Came(answer) => notes.judge(step, answer, Fate::Lost(decider), show_srv),
            }
        }
        self.bad_targets().into_iter().for_each(|problem| notes.warn(problem));
        if self.inner().next().is_some() && self.slots[2].is_found() {
            notes.warn(mixed_views(&self.domain));
        }
        if let Some(public) = self.inner().find(|asked| is_public(&asked.of)) {
            notes.warn(published_outside(&public.name, &public.of));
        }
    }
}

fn mixed_views(domain: &str) -> Problem {
    Problem::new(
        Area::Dns,
        Owner::Admin,
        format!("The records for inside and for outside use of {domain} are both visible here."),
        "Publish _cisco-uds and _cuplogin in the inner view only, and _collab-edge in the outer \
         view only.",
    )
    .with_rule(2)
    .with_evidence(format!("SRV _collab-edge._tls.{domain} answers beside the inside records"))
}

/// A warning by itself: a company may well run its name servers on public addresses. It is the
/// cause only when the servers cannot be reached.
fn published_outside(name: &str, server: &str) -> Problem {
    Problem::new(
        Area::Dns,
        Owner::Admin,
        format!("The inside record {name} comes from {server}, a name server on the Internet."),
        "Take _cisco-uds and _cuplogin out of the public zone; only _collab-edge belongs there.",
    )
    .with_rule(3)
    .with_evidence(format!("SRV {name} answered by {server}"))
}

/// The name server has an address of the Internet.
fn is_public(server: &str) -> bool {
    let address = server.parse::<SocketAddr>().map(|at| at.ip()).or_else(|_| server.parse());
    match address {
        Ok(IpAddr::V4(address)) => {
            let [a, b, c, _] = address.octets();
            // The blocks of the IANA special-purpose registry that are not globally reachable.
            !(address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_documentation()
                || a == 0
                || a >= 224
                || (a, b & 0xc0) == (100, 64)
                || (a, b, c) == (192, 0, 0)
                || (a, b & 0xfe) == (198, 18))
        }
        Ok(IpAddr::V6(address)) => {
            let [a, b, ..] = address.segments();
            a & 0xe000 == 0x2000 && (a, b) != (0x2001, 0x0db8) && (a & 0xfff0) != 0x3ff0
        }
        Err(_) => false,
    }
}

/// Only the edge's records answer, and the edge may not be used.
pub(crate) fn outside_only(domain: &str) -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::User,
        format!(
            "Only the records for use of {domain} from outside answer here, and use from outside \
             is switched off (RemoteAccess)."
        ),
        "Connect to the company's network or VPN, or ask the UC administrator to allow use from \
         outside.",
    )
    .with_evidence(format!(
        "SRV _collab-edge._tls.{domain} answers, _cisco-uds and _cuplogin do not"
    ))
}

#[cfg(test)]
mod tests {
    use super::is_public;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for public in ["9.9.9.9:53", "[2620:fe::fe]:53", "172.32.0.1:53", "100.63.0.1", "8.8.8.8"] {
            assert!(is_public(public), "{public}");
        }
        for inner in [
            "10.1.2.3:53",
            "172.16.0.1:53",
            "192.168.1.1:53",
            "127.0.0.1:5353",
            "100.64.0.1:53",
            "192.0.2.53:53",
            "[::1]:53",
            "[fd00::1]:53",
            "[2001:db8::1]:53",
            "--hosts",
            "",
        ] {
            assert!(!is_public(inner), "{inner}");
        }
    }
}
