//! Ways of a call's sound through address translators (ICE): who is asked for addresses before the
//! call goes out, and what the user hears of it.

use std::net::{IpAddr, SocketAddr};

use offhook_model::{Area, CallEnd, CallId, Moment, Owner, Problem, Secret};
use offhook_ports::{HelperFault, IceAccount, IceCandidate, IceFact, IceStart};
use offhook_rtp::sdp::{LocalIce, ice_credentials, offers_ice};

use crate::{Output, Phone};

/// What a call knows of its ways.
#[derive(Debug)]
pub struct Ways {
    secret: Secret<[u8; 32]>,
    /// Ours, once all were asked.
    candidates: Option<Vec<IceCandidate>>,
    /// Ports that wait for them.
    ports: Option<(SocketAddr, SocketAddr)>,
    past: Past,
}

/// What there was before.
#[derive(Clone, Copy, Debug, Default)]
struct Past {
    /// A way was found.
    found: bool,
    /// How often ways were looked for anew since.
    anew: u8,
}

/// A way that is not found again in so many searches is given up.
const MOST_ANEW: u8 = 3;

impl Phone {
    /// From the next call on this is how ways are looked for; nothing means that none are.
    pub fn use_ice(&mut self, ice: Option<IceAccount>) {
        self.account.ice = ice;
    }

    pub(crate) fn reserve(&mut self, call: CallId, ip: IpAddr) {
        let range = self.account.media_ports;
        let ice = self.account.ice.clone().and_then(|account| self.look_for_ways(call, account));
        self.out.push_back(Output::Reserve { call, ip, range, ice });
    }

    fn look_for_ways(&mut self, call: CallId, account: IceAccount) -> Option<IceStart> {
        let index = self.index(call)?;
        let entry = &mut self.entries[index];
        let past = entry.ways.take().map(|ways| ways.past).unwrap_or_default();
        // Who calls without it is not made to wait for addresses that are never told.
        if entry.offer.as_deref().is_some_and(|offer| !offers_ice(offer)) {
            return None;
        }
        let mut secret = [0; 32];
        self.entropy.fill(&mut secret);
        let secret = Secret::new(secret);
        let local = ice_credentials(&secret, 0);
        entry.ways = Some(Ways { secret, candidates: None, ports: None, past });
        Some(IceStart { local, account })
    }

    /// The ports, once all that was asked of them is there.
    pub(crate) fn with_ways(
        &mut self,
        index: usize,
        ports: Result<(SocketAddr, SocketAddr), String>,
    ) -> Option<Result<(SocketAddr, SocketAddr), String>> {
        match (&mut self.entries[index].ways, ports) {
            (Some(ways), Ok(ports)) if ways.candidates.is_none() => {
                ways.ports = Some(ports);
                None
            }
            (_, ports) => Some(ports),
        }
    }

    /// What a description of this call says of ways; `turn` tells those apart that one call has one
    /// after the other with others.
    pub(crate) fn local_ice(&self, id: CallId, turn: u64) -> Option<LocalIce> {
        let ways = self.entries[self.index(id)?].ways.as_ref()?;
        let mut secret = *ways.secret.expose();
        for (byte, other) in secret.iter_mut().zip(turn.to_be_bytes()) {
            *byte ^= other;
        }
        Some(LocalIce { secret: Secret::new(secret), candidates: ways.candidates.clone()? })
    }

    /// A fact of the search.
    pub(crate) fn way(&mut self, id: CallId, fact: &IceFact, now: Moment) {
        let Some(index) = self.index(id).filter(|index| self.entries[*index].ended.is_none())
        else {
            return;
        };
        match fact {
            IceFact::Candidates(all) => return self.candidates_came(index, all, now),
            IceFact::Found { .. } => {
                let over = [no_way(), lost(false), lost(true)];
                let entry = &mut self.entries[index];
                if let Some(ways) = &mut entry.ways {
                    ways.past = Past { found: true, anew: 0 };
                }
                entry.call.trouble.take_if(|trouble| over.contains(trouble));
            }
            IceFact::Unhelped { relay, fault } => {
                self.entries[index].call.trouble = Some(unhelped(*relay, *fault));
            }
            // Where there was a way, what they or we had of relays may be gone, which only another
            // search brings to light.
            IceFact::NoWay { .. } => {
                let anew = self.search_again(index);
                self.entries[index].call.trouble = Some(if anew { lost(true) } else { no_way() });
            }
            IceFact::Lost => {
                let anew = self.search_again(index);
                self.entries[index].call.trouble = Some(lost(anew));
            }
        }
        self.tell(id);
    }

    /// Looks for ways anew where there was one, a few times at most.
    fn search_again(&mut self, index: usize) -> bool {
        let Some(ways) = &mut self.entries[index].ways else { return false };
        if !ways.past.found || ways.past.anew >= MOST_ANEW {
            return false;
        }
        ways.past.anew += 1;
        self.look_anew(index)
    }

    fn candidates_came(&mut self, index: usize, all: &[IceCandidate], now: Moment) {
        let id = self.entries[index].call.id;
        let Some(ways) = &mut self.entries[index].ways else { return };
        ways.candidates = Some(all.to_vec());
        if let Some(ports) = ways.ports.take() {
            self.reserved(id, Ok(ports), now);
        }
    }

    /// No other address may be named, and nobody relays.
    pub(crate) fn lacks_relay(&self, index: usize) -> bool {
        let ways = self.entries[index].ways.as_ref();
        self.account.ice.as_ref().is_some_and(|ice| ice.relay_only)
            && ways.is_some_and(|ways| ways.candidates.as_ref().is_some_and(Vec::is_empty))
    }

    /// There is no call then.
    pub(crate) fn no_relay(&mut self, index: usize, now: Moment) {
        if let Some(sip) = self.entries[index].sip {
            self.agent.reject(sip, 480, now.at);
        }
        let problem = self.entries[index].call.trouble.take().unwrap_or_else(|| {
            Problem::new(
                Area::Media,
                Owner::User,
                "Calls may go by a relay only, and there is none.",
                "Set a relay (TURN) in the settings, or allow calls to go directly.",
            )
            .coded("relay-only-and-none", [])
        });
        let end = CallEnd { cause: "failed", sip_status: None, problem: Some(problem) };
        self.finish(index, end, now);
    }
}

fn unhelped(relay: bool, fault: HelperFault) -> Problem {
    let who = if relay { "The relay (TURN)" } else { "The server that tells our address (STUN)" };
    let (what, owner, remedy) = match fault {
        HelperFault::NoAddress => {
            ("has no address", Owner::User, "Correct its name in the settings.")
        }
        HelperFault::Silent => (
            "does not answer",
            Owner::Network,
            "Check its name in the settings, and let UDP out to it.",
        ),
        HelperFault::Login => (
            "does not know the user, or the password is another one",
            Owner::User,
            "Correct user and password of the relay in the settings.",
        ),
        HelperFault::Refused(_) => {
            ("refuses to help", Owner::Server, "Ask who runs it; others may use it up.")
        }
    };
    let evidence = match fault {
        HelperFault::Refused(code) => format!("STUN error {code}"),
        other => format!("{other:?}"),
    };
    let cause = format!("{who} {what}. Calls go on without it where they can.");
    Problem::new(Area::Media, owner, cause, remedy)
        .coded(unhelped_code(relay, fault), [])
        .with_evidence(evidence)
}

fn unhelped_code(relay: bool, fault: HelperFault) -> &'static str {
    match (relay, fault) {
        (true, HelperFault::NoAddress) => "relay-no-address",
        (true, HelperFault::Silent) => "relay-silent",
        (true, HelperFault::Login) => "relay-login",
        (true, HelperFault::Refused(_)) => "relay-refused",
        (false, HelperFault::NoAddress) => "stun-no-address",
        (false, HelperFault::Silent) => "stun-silent",
        (false, HelperFault::Login) => "stun-login",
        (false, HelperFault::Refused(_)) => "stun-refused",
    }
}

fn no_way() -> Problem {
    Problem::new(
        Area::Media,
        Owner::Network,
        "No way for the sound was found. It is sent to the address that the other side named, which \
         may not be reached.",
        "Set a relay (TURN) in the settings, or let UDP through in both directions.",
    )
    .coded("no-way", [])
}

/// `anew` when another way is looked for.
fn lost(anew: bool) -> Problem {
    let (code, cause, remedy) = if anew {
        (
            "way-sought-anew",
            "The other side does not answer any more on the way that the sound took. Another one is \
             looked for.",
            "Wait a moment. If nothing is heard then, hang up and call again.",
        )
    } else {
        (
            "way-lost",
            "The other side does not answer any more on the way that the sound took, so nothing is \
             sent.",
            "Hang up and call again.",
        )
    };
    Problem::new(Area::Media, Owner::Network, cause, remedy).coded(code, [])
}
