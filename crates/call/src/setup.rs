//! From the wish to a call that stands: ports, descriptions, the answer.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use offhook_model::{AudioCodec, CallEnd, CallId, CallState, Moment, Owner, Security};
use offhook_ports::MediaPlan;
use offhook_rtp::sdp::{LocalMedia, Negotiator};

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
        let local = self.local(id, rtp, rtcp.port());
        let session_id = (self.seed >> 33) + u64::from(id.0);
        let mut description = Negotiator::new(session_id, local);
        let entry = &mut self.entries[index];
        match std::mem::replace(&mut entry.waiting, Waiting::Nothing) {
            Waiting::PortsToDial(to) => {
                let offer = description.offer();
                entry.description = Some(description);
                entry.sip = Some(self.agent.invite(&to, offer, now.at));
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

    fn local(&self, id: CallId, rtp: SocketAddr, rtcp_port: u16) -> LocalMedia {
        LocalMedia {
            address: rtp.ip(),
            rtp_port: rtp.port(),
            rtcp_port,
            codecs: AudioCodec::ALL.to_vec(),
            packet_time: PACKET_TIME,
            dscp: self.account.audio_dscp,
            // Random per session, so it identifies nobody (RFC 7022).
            cname: format!(
                "{:016x}",
                self.seed ^ u64::from(id.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ),
            hold: false,
        }
    }

    /// An offer that could be answered, tried out before it rings.
    pub(crate) fn can_answer(&self, ip: IpAddr, offer: &str) -> bool {
        let local = self.local(CallId(0), SocketAddr::new(ip, 0), 0);
        Negotiator::new(0, local).answer(offer).is_ok()
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
        );
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
                Err(_) => return self.nothing_in_common(index, now),
            },
        };
        self.agent.answer(sip, sdp, now.at);
        self.connect(index, plan, now);
    }

    /// RFC 3261 section 21.4.26: 488 for a description that cannot be used.
    pub(crate) fn nothing_in_common(&mut self, index: usize, now: Moment) {
        if let Some(sip) = self.entries[index].sip {
            self.agent.reject(sip, 488, now.at);
        }
        self.finish(index, ending::no_common_sound(), now);
    }

    pub(crate) fn connect(&mut self, index: usize, plan: Option<MediaPlan>, now: Moment) {
        let secure = self.agent.is_secure();
        let entry = &mut self.entries[index];
        entry.call.connected.get_or_insert(now.wall);
        entry.call.security = if secure { Security::Signalling } else { Security::None };
        let id = entry.call.id;
        if let Some(plan) = plan {
            self.apply(index, plan);
        }
        // Two calls made side by side may both be answered; one ear is enough.
        self.hold_others(Some(id), now);
        self.set_state(id, CallState::Connected);
        self.reflect_hold(index);
    }

    pub(crate) fn apply(&mut self, index: usize, plan: MediaPlan) {
        let entry = &mut self.entries[index];
        entry.plan = Some(plan.clone());
        self.out.push_back(Output::Apply { call: entry.call.id, plan });
    }
}
