//! The calls of a robot's phone, from the first ring or INVITE to the report at the end.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::sync::watch;

use super::{Call, Ended, MAX_CALLS, Phone, SDP, State, media_socket};
use crate::config::RobotMode;
use crate::events::LabEvent;
use crate::random;
use crate::robot::g711::Law;
use crate::robot::media::{self, Report};
use crate::robot::sdp::{self, Remote};
use crate::sip::element;
use crate::sip::message::{Message, uri_of, user_of};

/// Description, view for the media to come, and the media's side of it.
type Prepared =
    (sdp::Local, watch::Sender<Option<Remote>>, (UdpSocket, watch::Receiver<Option<Remote>>));

impl Phone {
    /// Prepares a call's media; `None` when there is no socket.
    pub(super) async fn prepare(&self) -> Option<Prepared> {
        let socket = media_socket(self.lab.config.bind).await.ok()?;
        let mut sdp = sdp::Local::new(socket.local_addr().ok()?, &self.laws);
        if self.robot.encrypted {
            sdp = sdp.sealed();
        }
        let (media, view) = watch::channel(None);
        Some((sdp, media, (socket, view)))
    }

    pub(super) async fn rung(&mut self, invite: Message) {
        let trying = self.reply(&invite, 100, "Trying", "");
        self.send(&trying);
        let tag = random::hex::<6>();
        let busy = self.robot.mode == RobotMode::Busy || self.calls.len() >= MAX_CALLS;
        if busy {
            let reply = self.reply(&invite, 486, "Busy Here", &tag);
            return self.send(&reply);
        }
        let offer = String::from_utf8_lossy(&invite.body).into_owned();
        let can = |remote: &Remote| remote.key.is_none() || self.robot.encrypted;
        let remote = sdp::read(&offer, &self.laws).filter(can);
        if !offer.trim().is_empty() && remote.is_none() {
            let reply = self.reply(&invite, 488, "Not Acceptable Here", &tag);
            return self.send(&reply);
        }
        let Some((sdp, media, idle)) = self.prepare().await else {
            let reply = self.reply(&invite, 500, "Server Internal Error", &tag);
            return self.send(&reply);
        };
        let law = remote.as_ref().map(|remote| remote.law);
        media.send_replace(remote);
        let ringing = self.reply(&invite, 180, "Ringing", &tag);
        self.send(&ringing);
        let shown = invite.header("Remote-Party-ID").or(invite.header("From")).unwrap_or_default();
        let answer_at = (self.robot.mode != RobotMode::NoAnswer)
            .then(|| Instant::now() + Duration::from_millis(self.robot.ring_ms));
        let call = Call {
            state: State::Ringing(answer_at),
            incoming: true,
            local: ringing.header("To").unwrap_or_default().to_owned(),
            remote: invite.header("From").unwrap_or_default().to_owned(),
            target: invite.contact_uri().unwrap_or_default().to_owned(),
            cseq: 100,
            number: user_of(uri_of(shown)),
            law,
            sdp,
            media,
            idle: Some(idle),
            invite,
        };
        self.calls.insert(call.invite.call_id().to_owned(), call);
    }

    /// Answers a call that has rung long enough.
    pub(super) fn answer(&mut self, id: &str) {
        let contact = self.contact();
        let Some(call) = self.calls.get_mut(id) else { return };
        let remote = call.media.borrow().clone();
        let body = match &remote {
            Some(remote) => call.sdp.answer(remote),
            None => call.sdp.offer(),
        };
        let mut reply = Message::response(&call.invite, 200, "OK").with("Contact", contact);
        reply.set("To", call.local.clone());
        let reply = reply.with_body(SDP, body);
        self.send(&reply);
        self.start(id);
    }

    /// The call is up: media starts.
    pub(super) fn start(&mut self, id: &str) {
        let limit = Duration::from_secs(self.robot.max_seconds);
        let Some(call) = self.calls.get_mut(id) else { return };
        let now = Instant::now();
        call.state = State::Up { since: now, until: now + limit };
        let Some((socket, view)) = call.idle.take() else { return };
        self.recordings += 1;
        let file = format!("robot-{}-{}.wav", self.robot.name, self.recordings);
        let recording: Option<PathBuf> = Some(self.lab.state.join(file));
        let (robot, id, ours) = (self.robot.clone(), id.to_owned(), call.sdp.key());
        let media = media::run(socket, robot, recording, view, ours);
        self.media.spawn(async move { (id, media.await) });
        self.lab.events.tell(LabEvent::RobotCallStarted {
            robot: self.robot.name.clone(),
            remote: call.number.clone(),
            direction: if call.incoming { "incoming" } else { "outgoing" },
            codec: call.law.or(self.laws.first().copied()).map_or("none", Law::name),
        });
    }

    pub(super) fn remote_description(&mut self, id: &str, message: &Message) -> bool {
        let text = String::from_utf8_lossy(&message.body);
        let Some(remote) = sdp::read(&text, &self.laws) else { return false };
        let Some(call) = self.calls.get_mut(id) else { return false };
        call.law = Some(remote.law);
        call.media.send_replace(Some(remote));
        true
    }

    pub(super) fn renegotiate(&mut self, id: &str, request: &Message) {
        let offered = !request.body.is_empty();
        if offered && !self.remote_description(id, request) {
            let reply = self.reply(request, 488, "Not Acceptable Here", "");
            return self.send(&reply);
        }
        let reply = self.reply(request, 200, "OK", "");
        let Some(call) = self.calls.get_mut(id) else { return };
        if let Some(target) = request.contact_uri() {
            target.clone_into(&mut call.target);
        }
        let remote = call.media.borrow().clone();
        let body = match (&remote, offered) {
            (Some(remote), true) => Some(call.sdp.answer(remote)),
            (_, false) if request.method() == "INVITE" => Some(call.sdp.offer()),
            (Some(_) | None, _) => None,
        };
        let reply = match body {
            Some(body) => reply.with_body(SDP, body),
            None => reply,
        };
        self.send(&reply);
    }

    /// The call manager wants a call, or an answer.
    pub(super) async fn told(&mut self, refer: &Message) {
        let text = String::from_utf8_lossy(&refer.body).into_owned();
        if let Some(number) = element(&text, "dialstring") {
            self.dial(number.to_owned(), None).await;
        } else if text.contains("<answercallreq>")
            && let Some(id) = element(&text, "callid")
        {
            self.answer(id);
        }
    }

    pub(super) async fn dial(&mut self, number: String, shown: Option<String>) {
        if self.calls.len() >= MAX_CALLS {
            return;
        }
        let Some((mut sdp, media, idle)) = self.prepare().await else { return };
        let host = self.lab.host("cucm1");
        let id = format!("{}@{}", random::hex::<10>(), self.at.ip());
        let name = &self.robot.display_name;
        let local =
            format!("\"{name}\" <sip:{}@{host}>;tag={}", self.person.number, random::hex::<6>());
        let remote = format!("<sip:{number}@{host}>");
        let target = format!("sip:{number}@{host}");
        let mut invite = Message::request("INVITE", &target)
            .with("Via", self.via())
            .with("From", local.clone())
            .with("To", remote.clone())
            .with("Call-ID", id.clone())
            .with("CSeq", "101 INVITE")
            .with("Max-Forwards", "70")
            .with("Contact", self.contact());
        if let Some(shown) = shown {
            invite.set("Remote-Party-ID", format!("<sip:{shown}@{host}>;party=calling"));
        }
        let invite = invite.with_body(SDP, sdp.offer());
        self.send(&invite);
        let call = Call {
            state: State::Calling,
            incoming: false,
            invite,
            local,
            remote,
            target,
            cseq: 101,
            number,
            law: None,
            sdp,
            media,
            idle: Some(idle),
        };
        self.calls.insert(id, call);
    }

    pub(super) fn response(&mut self, response: &Message) {
        let (number, method) = response.cseq();
        let id = response.call_id().to_owned();
        if method != "INVITE" {
            return;
        }
        let status = response.status();
        let Some(call) = self.calls.get_mut(&id).filter(|call| !call.incoming) else { return };
        if status < 200 {
            return;
        }
        if let (200..=299, Some(target)) = (status, response.contact_uri()) {
            target.clone_into(&mut call.target);
        }
        let to = response.header("To").unwrap_or_default().to_owned();
        // Refusals are acknowledged inside the INVITE's transaction, acceptance outside.
        let via = if status < 300 {
            self.via()
        } else {
            call.invite.header("Via").unwrap_or_default().to_owned()
        };
        let Some(call) = self.calls.get_mut(&id) else { return };
        let uri = if status < 300 { call.target.clone() } else { call.invite.uri().to_owned() };
        let ack = Message::request("ACK", &uri)
            .with("Via", via)
            .with("From", call.local.clone())
            .with("To", to.clone())
            .with("Call-ID", id.clone())
            .with("CSeq", format!("{number} ACK"))
            .with("Max-Forwards", "70");
        call.remote = to;
        let (waiting, remote) = (call.state == State::Calling, call.number.clone());
        self.send(&ack);
        if !waiting {
            return;
        }
        if status >= 300 {
            self.calls.remove(&id);
            self.lab.events.tell(LabEvent::RobotCallFailed {
                robot: self.robot.name.clone(),
                remote,
                status,
            });
            return;
        }
        let understood = self.remote_description(&id, response);
        self.start(&id);
        if !understood {
            self.hang_up(&id, "robotHungUp");
        }
    }

    pub(super) fn hang_up(&mut self, id: &str, cause: &'static str) {
        let via = self.via();
        let Some(call) = self.calls.get_mut(id) else { return };
        call.cseq += 1;
        let message = match call.state {
            State::Up { .. } => Message::request("BYE", &call.target)
                .with("Via", via)
                .with("From", call.local.clone())
                .with("To", call.remote.clone())
                .with("Call-ID", id.to_owned())
                .with("CSeq", format!("{} BYE", call.cseq))
                .with("Max-Forwards", "70"),
            State::Calling => {
                let invite = &call.invite;
                Message::request("CANCEL", invite.uri())
                    .carry(invite, &["Via", "From", "To", "Call-ID"])
                    .with("CSeq", "101 CANCEL")
                    .with("Max-Forwards", "70")
                    .with_no_body()
            }
            State::Ringing(_) => {
                let mut reply = Message::response(&call.invite, 480, "Temporarily Unavailable");
                reply.set("To", call.local.clone());
                reply
            }
        };
        self.send(&message);
        self.over(id, cause);
    }

    pub(super) fn hang_up_all(&mut self, cause: &'static str) {
        let ids: Vec<String> = self.calls.keys().cloned().collect();
        for id in ids {
            self.hang_up(&id, cause);
        }
    }

    /// The call is over for us; its media ends with it and reports.
    pub(super) fn over(&mut self, id: &str, cause: &'static str) {
        let Some(call) = self.calls.remove(id) else { return };
        if let State::Up { since, .. } = call.state {
            self.ended.insert(id.to_owned(), Ended { number: call.number, cause, since });
        }
    }

    pub(super) fn media_ended(
        &mut self,
        finished: Result<(String, Report), tokio::task::JoinError>,
    ) {
        let Ok((id, report)) = finished else {
            tracing::error!("the media of a robot failed");
            return;
        };
        let Some(ended) = self.ended.remove(&id) else { return };
        let seconds = ended.since.elapsed().as_secs_f64();
        self.lab.events.tell(LabEvent::RobotCallEnded {
            robot: self.robot.name.clone(),
            remote: ended.number,
            cause: ended.cause,
            seconds: (seconds * 10.0).round() / 10.0,
            recording: report.recording,
            packets_received: report.packets_received,
            packets_sent: report.packets_sent,
            lost: report.lost,
            late: report.late,
            tone_hz: report.tone_hz,
            level_dbfs: report.level_dbfs,
            digits: report.digits,
        });
    }
}
