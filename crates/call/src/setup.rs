//! From the wish to a call that stands: ports, descriptions, the answer.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use offhook_model::{AudioCodec, CallEnd, CallId, CallState, Moment, Owner, Secret, Security};
use offhook_ports::{MediaEncryption, MediaPlan};
use offhook_rtp::SdpError;
use offhook_rtp::sdp::{Encryption, LocalMedia, Negotiator};
use offhook_sip::{By, End};

use crate::entry::Waiting;
use crate::{Output, Phone, ending};

/// One packet each 20 ms, the default of every codec here (RFC 3551 section 4.2).
const PACKET_TIME: Duration = Duration::from_millis(20);

impl Phone {
    pub(crate) fn describe(
        &mut self,
        index: usize,
        rtp: SocketAddr,
        rtcp: SocketAddr,
        now: Moment,
    ) {
        let id = self.entries[index].call.id;
        let mut description = self.description(id, (rtp, rtcp), 0);
        let entry = &mut self.entries[index];
        entry.ports = Some((rtp, rtcp));
        match std::mem::replace(&mut entry.waiting, Waiting::Nothing) {
            Waiting::PortsToDial(to) => {
                let offer = description.offer();
                entry.description = Some(description);
                entry.sip = Some(self.agent.invite(&to, offer, now.at));
            }
            Waiting::PortsToFollow(asked) => {
                let offer = description.offer();
                entry.description = Some(description);
                entry.sip = self.agent.follow(asked, offer, now.at);
                if entry.sip.is_none() {
                    // They did not wait.
                    let end = CallEnd { cause: "cancelled", sip_status: None, problem: None };
                    self.finish(index, end, now);
                }
            }
            Waiting::PortsToAnswer { answer } => {
                entry.description = Some(description);
                if answer {
                    self.answer_now(index, now);
                }
            }
            Waiting::Nothing => {}
        }
    }

    /// A new description of a call's sound; `turn` tells those apart that one call has one after
    /// the other.
    pub(crate) fn description(
        &mut self,
        id: CallId,
        (rtp, rtcp): (SocketAddr, SocketAddr),
        turn: u64,
    ) -> Negotiator {
        let mut secret = [0; 32];
        self.entropy.fill(&mut secret);
        let session_id = (self.seed >> 33) + u64::from(id.0) + (turn << 20);
        let local = self.local(id, rtp, rtcp.port(), Secret::new(secret));
        Negotiator::new(session_id, LocalMedia { ice: self.local_ice(id, turn), ..local })
    }

    /// Who takes keys with the encrypted transport only refuses ours beside the plain one (488): they
    /// are called once more with that. True when they are.
    pub(crate) fn call_encrypted(&mut self, index: usize, end: &End, now: Moment) -> bool {
        let entry = &mut self.entries[index];
        let refused = end.by == By::Them && matches!(end.status, Some(488 | 606));
        let (Some(description), Some(to)) = (entry.description.as_mut(), entry.dialled.as_ref())
        else {
            return false;
        };
        if !refused || entry.call.connected.is_some() || !description.insist_on_encryption() {
            return false;
        }
        let offer = description.offer();
        entry.sip = Some(self.agent.invite(to, offer, now.at));
        true
    }

    fn local(
        &self,
        id: CallId,
        rtp: SocketAddr,
        rtcp_port: u16,
        secret: Secret<[u8; 32]>,
    ) -> LocalMedia {
        LocalMedia {
            address: rtp.ip(),
            rtp_port: rtp.port(),
            rtcp_port,
            codecs: self.codecs(),
            quiet: self.account.features.leave_out_silence,
            packet_time: PACKET_TIME,
            // A call manager takes such packets for a codec that it does not know.
            redundancy: !self.is_call_manager() && !self.low_bandwidth,
            dscp: if self.marks { self.account.audio_dscp } else { 0 },
            // Random per session, so it identifies nobody (RFC 7022).
            cname: format!(
                "{:016x}",
                self.seed ^ u64::from(id.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ),
            hold: false,
            encryption: match self.account.encryption {
                MediaEncryption::WherePossible if self.agent.is_secure() => Encryption::Offered,
                MediaEncryption::WherePossible => Encryption::Accepted,
                MediaEncryption::Fallback => Encryption::Fallback,
                MediaEncryption::Required => Encryption::Required,
            },
            secret,
            ice: None,
        }
    }

    /// Whether calls that begin from now on use the codec that takes least of the network alone.
    pub fn save_bandwidth(&mut self, save: bool) {
        self.low_bandwidth = save;
    }

    /// What the next description names, best first.
    fn codecs(&self) -> Vec<AudioCodec> {
        let features = &self.account.features;
        let wanted = |codec: &AudioCodec| match codec {
            AudioCodec::G729 => true,
            _ if self.low_bandwidth => false,
            AudioCodec::G722 => !features.without_g722,
            _ => true,
        };
        let mut codecs: Vec<_> = AudioCodec::ALL.into_iter().filter(wanted).collect();
        codecs.sort_by_key(|codec| features.preferred_codec != Some(*codec));
        codecs
    }

    /// Whether an offer could be answered, tried out before it rings.
    pub(crate) fn can_answer(&self, ip: IpAddr, offer: &str) -> Result<(), SdpError> {
        let local = self.local(CallId(0), SocketAddr::new(ip, 0), 0, Secret::new([0; 32]));
        Negotiator::new(0, local).answer(offer).map(drop)
    }

    pub(crate) fn no_ports(&mut self, index: usize, why: &str, now: Moment) {
        if let Some(sip) = self.entries[index].sip {
            self.agent.reject(sip, 500, now.at);
        }
        let problem = offhook_model::Problem::new(
            offhook_model::Area::Media,
            Owner::Admin,
            format!("No sound port is free for the call: {why}."),
            "Widen the media port range of the phone, or end other programs that use it.",
        )
        .coded("call-no-port", []);
        self.finish(
            index,
            CallEnd { cause: "failed", sip_status: None, problem: Some(problem) },
            now,
        );
    }

    pub(crate) fn answer_now(&mut self, index: usize, now: Moment) {
        let entry = &mut self.entries[index];
        let (Some(sip), Some(description)) = (entry.sip, entry.description.as_mut()) else {
            return;
        };
        let (sdp, plan) = match entry.offer.take() {
            None => (description.offer(), None),
            Some(offer) => match description.answer(&offer) {
                Ok((sdp, plan)) => (sdp, Some(plan)),
                Err(error) => return self.nothing_in_common(index, error, now),
            },
        };
        self.agent.answer(sip, sdp, now.at);
        self.connect(index, plan, now);
    }

    /// RFC 3261 section 21.4.26: 488 for a description that cannot be used.
    pub(crate) fn nothing_in_common(&mut self, index: usize, error: SdpError, now: Moment) {
        match self.entries[index].sip {
            Some(sip) if error == SdpError::InClear => {
                self.agent.reject_saying(sip, 488, ending::ENCRYPTION_REQUIRED, now.at);
            }
            Some(sip) => self.agent.reject(sip, 488, now.at),
            None => {}
        }
        self.finish(index, ending::no_common_sound(Some(error)), now);
    }

    pub(crate) fn connect(&mut self, index: usize, plan: Option<MediaPlan>, now: Moment) {
        let entry = &mut self.entries[index];
        entry.call.connected.get_or_insert(now.wall);
        let id = entry.call.id;
        self.protect(index);
        if let Some(plan) = plan {
            self.apply(index, plan);
        }
        let joined = self.entries[index].joins.take();
        let joined =
            joined.filter(|other| self.index(*other).is_some_and(|at| self.entries[at].is_up()));
        if joined.is_none() {
            // Two calls made side by side may both be answered; one ear is enough.
            self.hold_others(Some(id), now);
        }
        self.set_state(id, CallState::Connected);
        self.reflect_hold(index);
        // Who was answered that wanted into a call of ours (RFC 3911) is let into it.
        if let Some(other) = joined
            && self.mix(other, id, now).is_err()
        {
            self.hold_others(Some(id), now);
        }
    }

    /// What protects the call by what was agreed last. Keys that went over signalling in clear
    /// protect nothing (RFC 4568 section 8.3), and neither does our own piece of the way where the
    /// call manager says that another is in clear (reference sip-dialect.md section 4). Its word
    /// alone never closes the padlock.
    pub(crate) fn protect(&mut self, index: usize) {
        let secure = self.agent.is_secure();
        let entry = &mut self.entries[index];
        if entry.call.connected.is_none() {
            return;
        }
        let ours = entry.plan.as_ref().is_some_and(|plan| plan.srtp.is_some());
        let encrypted = ours && entry.beyond != Some(false);
        entry.call.security = match (secure, encrypted) {
            (true, true) => Security::Full,
            (true, false) => Security::Signalling,
            (false, _) => Security::None,
        };
    }

    pub(crate) fn apply(&mut self, index: usize, plan: MediaPlan) {
        let id = self.entries[index].call.id;
        let plan = MediaPlan { mix: self.is_mixed(id), ..plan };
        let entry = &mut self.entries[index];
        entry.plan = Some(plan.clone());
        let silent = entry.giving.is_some();
        self.protect(index);
        self.out.push_back(Output::Apply { call: id, plan: Box::new(plan) });
        if silent {
            self.silence(index);
        }
    }
}
