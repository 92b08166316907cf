//! What stands between a call and the network: nothing, or SRTP.

use offhook_ports::SrtpPlan;
use offhook_rtp::srtp::{Receiver, Sender};

/// The protection of one call's packets.
pub(super) enum Shield {
    /// They go as they are.
    Clear,
    /// They are encrypted.
    Srtp(Box<Srtp>),
    /// They should be encrypted, and the keys cannot be used: nothing goes and nothing is taken.
    Closed,
}

/// Keys in use.
pub(super) struct Srtp {
    plan: SrtpPlan,
    sender: Sender,
    receiver: Receiver,
}

impl Shield {
    /// Goes on with these keys. A direction whose key is the same goes on as it was: its counters
    /// must not begin anew (RFC 3711 section 3.3.1).
    pub(super) fn apply(&mut self, plan: Option<&SrtpPlan>) {
        let Some(plan) = plan else {
            *self = Self::Clear;
            return;
        };
        let old = match std::mem::replace(self, Self::Closed) {
            Self::Srtp(old) if old.plan.suite == plan.suite => Some(*old),
            _ => None,
        };
        let (mut sender, mut receiver) = (None, None);
        if let Some(old) = old {
            sender = (old.plan.send == plan.send).then_some(old.sender);
            receiver = (old.plan.receive == plan.receive).then_some(old.receiver);
        }
        let sender = sender.map_or_else(|| Sender::new(plan.suite, plan.send.expose()), Ok);
        let receiver =
            receiver.map_or_else(|| Receiver::new(plan.suite, plan.receive.expose()), Ok);
        match (sender, receiver) {
            (Ok(sender), Ok(receiver)) => {
                *self = Self::Srtp(Box::new(Srtp { plan: plan.clone(), sender, receiver }));
            }
            (Err(error), _) | (_, Err(error)) => tracing::error!("no encryption: {error}"),
        }
    }

    /// The suite in use.
    pub(super) fn suite(&self) -> Option<&'static str> {
        match self {
            Self::Srtp(srtp) => Some(srtp.plan.suite.name()),
            Self::Clear | Self::Closed => None,
        }
    }

    /// Protects the packet in the first `length` bytes; nothing when it must not go.
    pub(super) fn seal(&mut self, packet: &mut [u8], length: usize) -> Option<usize> {
        match self {
            Self::Clear => Some(length),
            Self::Srtp(srtp) => srtp.sender.protect(packet, length).ok(),
            Self::Closed => None,
        }
    }

    /// As [`Self::seal`], for a report.
    pub(super) fn seal_report(&mut self, packet: &mut [u8], length: usize) -> Option<usize> {
        match self {
            Self::Clear => Some(length),
            Self::Srtp(srtp) => srtp.sender.protect_report(packet, length).ok(),
            Self::Closed => None,
        }
    }

    /// What is inside of a packet that came; nothing when it is not to be believed.
    pub(super) fn open<'a>(&mut self, packet: &'a mut [u8]) -> Option<&'a [u8]> {
        match self {
            Self::Clear => Some(packet),
            Self::Srtp(srtp) => {
                let length = srtp.receiver.unprotect(packet).ok()?;
                packet.get(..length)
            }
            Self::Closed => None,
        }
    }

    /// As [`Self::open`], for a report.
    pub(super) fn open_report<'a>(&mut self, packet: &'a mut [u8]) -> Option<&'a [u8]> {
        match self {
            Self::Clear => Some(packet),
            Self::Srtp(srtp) => {
                let length = srtp.receiver.unprotect_report(packet).ok()?;
                packet.get(..length)
            }
            Self::Closed => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Shield;
    use offhook_model::{Secret, SrtpSuite};
    use offhook_ports::SrtpPlan;

    fn plan(suite: SrtpSuite, send: u8, receive: u8) -> SrtpPlan {
        let (key, salt) = suite.key_and_salt();
        let master = |byte| Secret::new(vec![byte; key + salt]);
        SrtpPlan { suite, send: master(send), receive: master(receive) }
    }

    fn sealed(shield: &mut Shield, sequence: u16) -> Vec<u8> {
        let mut packet = vec![0x80, 0];
        packet.extend(sequence.to_be_bytes());
        packet.extend([0, 0, 0, 9, 0, 0, 0, 7]);
        packet.resize(100, 0);
        let length = shield.seal(&mut packet, 32).expect("sealed");
        packet.truncate(length);
        packet
    }

    #[test]
    fn a_new_key_counts_at_once_and_the_other_direction_goes_on() {
        for suite in SrtpSuite::ALL {
            let (mut us, mut them) = (Shield::Clear, Shield::Clear);
            us.apply(Some(&plan(suite, 1, 2)));
            them.apply(Some(&plan(suite, 2, 1)));
            let first = sealed(&mut us, 65_535);
            let reply = sealed(&mut them, 10);
            assert!(them.open(&mut first.clone()).is_some());
            assert!(us.open(&mut reply.clone()).is_some());
            let late = sealed(&mut us, 0);
            // Another key of ours by a re-INVITE: its counters begin anew.
            us.apply(Some(&plan(suite, 3, 2)));
            them.apply(Some(&plan(suite, 2, 3)));
            assert!(them.open(&mut late.clone()).is_none(), "under the key that was");
            assert!(them.open(&mut sealed(&mut us, 1)).is_some());
            // Their key is the same: what came before does not come again.
            assert!(us.open(&mut reply.clone()).is_none());
            assert!(us.open(&mut sealed(&mut them, 11)).is_some());
            // Another suite is another beginning, and unusable keys close the line.
            us.apply(Some(&SrtpPlan { send: Secret::new(vec![1]), ..plan(suite, 1, 2) }));
            assert!(us.seal(&mut [0x80; 64], 32).is_none() && us.suite().is_none());
            us.apply(None);
            assert_eq!(us.seal(&mut [0x80; 64], 32), Some(32));
        }
    }
}
