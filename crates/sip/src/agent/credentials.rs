//! Answering challenges, and using the same nonce again while the server takes it (RFC 3261
//! section 22, RFC 8760).

use std::time::Instant;

use offhook_model::Fault;

use super::call::Stage;
use super::{Context, Purpose, SipCall, UserAgent};
use crate::digest::{Challenge, Unanswerable, What, Who, next_nonce};
use crate::message::{Message, Method, Name, Request};
use crate::transaction::Delivered;

/// Most challenges remembered, and most rounds for one request.
const MAX_ROUNDS: usize = 5;

/// A challenge that was answered, and how often its nonce was used.
#[derive(Debug)]
struct Session {
    proxy: bool,
    /// It challenged a REGISTER. Registrars and proxies of one realm need not share nonces.
    register: bool,
    challenge: Challenge,
    count: u32,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    sessions: Vec<Session>,
}

impl Credentials {
    fn remember(&mut self, proxy: bool, register: bool, challenge: Challenge) {
        self.sessions.retain(|session| {
            (session.proxy, session.register, &session.challenge.realm)
                != (proxy, register, &challenge.realm)
        });
        if self.sessions.len() >= MAX_ROUNDS {
            self.sessions.remove(0);
        }
        self.sessions.push(Session { proxy, register, challenge, count: 0 });
    }

    pub fn forget(&mut self) {
        self.sessions.clear();
    }
}

impl UserAgent {
    /// Adds credentials for all challenges remembered.
    pub(super) fn authorize(&mut self, request: &mut Request) {
        request.remove(Name::Authorization);
        request.remove(Name::ProxyAuthorization);
        let Some((username, password)) = &self.account.digest else { return };
        let who = Who { username, password };
        let register = request.method == Method::Register;
        for session in self.credentials.sessions.iter_mut().filter(|s| s.register == register) {
            session.count += 1;
            let cnonce = self.tokens.tag();
            let (method, uri) = (request.method.as_str(), &request.uri);
            let what = What { method, uri, body: request.body_bytes() };
            let value = session.challenge.answer(&who, &what, session.count, &cnonce);
            request.push(
                if session.proxy { Name::ProxyAuthorization } else { Name::Authorization },
                value,
            );
        }
    }

    /// A success may name the nonce for the next request. Only where one challenge was answered is
    /// it clear which it belongs to.
    pub(super) fn take_next_nonce(&mut self, register: bool, message: &Message) {
        let next = message.header(Name::AuthenticationInfo).and_then(next_nonce);
        let mut sessions =
            self.credentials.sessions.iter_mut().filter(|session| session.register == register);
        if let (Some(nonce), Some(session), None) = (next, sessions.next(), sessions.next()) {
            session.challenge = session.challenge.clone().with_nonce(nonce);
            session.count = 0;
        }
    }

    /// A 401 or 407 came: the request goes out again with credentials, once.
    pub(super) fn challenged(
        &mut self,
        delivered: Delivered<Context>,
        message: &Message,
        now: Instant,
    ) {
        let Delivered { mut context, mut request, .. } = delivered;
        if self.unwanted(&context.purpose) {
            return;
        }
        match self.answer_challenges(&mut context, &request, message) {
            Ok(()) => {
                request.cseq = self.next_cseq(&context.purpose, request.cseq);
                self.authorize(&mut request);
                let purpose = context.purpose.clone();
                let Some(key) = self.send(request, context, now) else { return };
                self.sent_again(&purpose, key);
            }
            Err(fault) => self.not_let_in(&context.purpose, fault, message, now),
        }
    }

    /// Whether the request serves a call that was hung up meanwhile; an INVITE of which nobody
    /// wants to know any more ends with its challenge.
    fn unwanted(&mut self, purpose: &Purpose) -> bool {
        let stage = |call: &SipCall| self.calls.get(call).map(|call| call.stage);
        match purpose {
            Purpose::Invite(call) if stage(call) == Some(Stage::Cancelling) => {
                self.calls.remove(call);
                true
            }
            Purpose::Reinvite(call) | Purpose::Refresh(call) => {
                stage(call) != Some(Stage::Confirmed)
            }
            Purpose::Invite(_)
            | Purpose::Register
            | Purpose::Unregister
            | Purpose::Prack(_)
            | Purpose::Update(_)
            | Purpose::Info(_)
            | Purpose::Kpml(_)
            | Purpose::Refer(_)
            | Purpose::Told(_)
            | Purpose::Bye(_)
            | Purpose::KeepAlive(_)
            | Purpose::Presence
            | Purpose::Subscribe(_)
            | Purpose::Press(_)
            | Purpose::DoNotDisturb
            | Purpose::Cancel => false,
        }
    }

    fn answer_challenges(
        &mut self,
        context: &mut Context,
        request: &Request,
        message: &Message,
    ) -> Result<(), Fault> {
        let refused = || Fault::Sip(message.status().unwrap_or(401), message.explanation());
        if self.account.digest.is_none() {
            return Err(refused());
        }
        context.rounds += 1;
        let register = request.method == Method::Register;
        let mut mechanisms = vec![];
        let mut seen: Vec<(bool, String)> = vec![];
        for (proxy, name) in [(false, Name::WwwAuthenticate), (true, Name::ProxyAuthenticate)] {
            for value in message.all(name) {
                let challenge = match Challenge::parse(value) {
                    Ok(challenge) => challenge,
                    Err(Unanswerable::Mechanism(name)) => {
                        mechanisms.push(name);
                        continue;
                    }
                    Err(Unanswerable::Malformed) => continue,
                };
                let which = (proxy, challenge.realm.clone());
                // Of several for one realm the first that we know is to be used (RFC 8760
                // section 2.4).
                if seen.contains(&which) {
                    continue;
                }
                if context.answered.contains(&which) && !challenge.stale {
                    self.credentials.forget();
                    return Err(Fault::BadCredentials);
                }
                self.credentials.remember(proxy, register, challenge);
                seen.push(which);
            }
        }
        match (seen.is_empty(), usize::from(context.rounds) > MAX_ROUNDS) {
            (true, _) if !mechanisms.is_empty() => Err(Fault::NoMechanism(mechanisms)),
            (true, _) => Err(refused()),
            (false, true) => Err(Fault::BadCredentials),
            (false, false) => {
                context.answered.extend(seen);
                Ok(())
            }
        }
    }

    fn next_cseq(&mut self, purpose: &Purpose, last: u32) -> u32 {
        match purpose {
            Purpose::Register | Purpose::Unregister => self.registration.next_cseq(),
            Purpose::Reinvite(call)
            | Purpose::Refresh(call)
            | Purpose::Refer(call)
            | Purpose::Told(call)
            | Purpose::Bye(Some(call)) => {
                let dialog = self.calls.get_mut(call).and_then(|call| call.dialog.as_mut());
                dialog.map_or(last + 1, |dialog| {
                    dialog.local_cseq += 1;
                    dialog.local_cseq
                })
            }
            Purpose::Prack(call)
            | Purpose::Update(call)
            | Purpose::Info(call)
            | Purpose::Kpml(call) => {
                let call = self.calls.get_mut(call).into_iter();
                for dialog in call.flat_map(super::call::Call::dialogs) {
                    dialog.local_cseq = dialog.local_cseq.max(last + 1);
                }
                last + 1
            }
            Purpose::Subscribe(id) => self.subscription_cseq(*id, last),
            Purpose::Presence => self.publish_cseq(),
            Purpose::Invite(_)
            | Purpose::KeepAlive(_)
            | Purpose::Press(_)
            | Purpose::DoNotDisturb
            | Purpose::Bye(None)
            | Purpose::Cancel => last + 1,
        }
    }

    pub(super) fn sent_again(&mut self, purpose: &Purpose, key: crate::transaction::ClientKey) {
        match purpose {
            Purpose::Invite(call) => {
                if let Some(call) = self.calls.get_mut(call) {
                    call.invite = Some(key);
                    call.early.clear();
                }
            }
            Purpose::Reinvite(_)
            | Purpose::Register
            | Purpose::Unregister
            | Purpose::Refresh(_)
            | Purpose::Prack(_)
            | Purpose::Update(_)
            | Purpose::Info(_)
            | Purpose::Kpml(_)
            | Purpose::Refer(_)
            | Purpose::Told(_)
            | Purpose::Bye(_)
            | Purpose::KeepAlive(_)
            | Purpose::Presence
            | Purpose::Subscribe(_)
            | Purpose::Press(_)
            | Purpose::DoNotDisturb
            | Purpose::Cancel => {}
        }
    }

    fn not_let_in(&mut self, purpose: &Purpose, fault: Fault, message: &Message, now: Instant) {
        let status = message.status().unwrap_or(401);
        match purpose {
            Purpose::Register => self.register_refused(fault, now),
            Purpose::Unregister => self.unregistered(status),
            Purpose::Invite(call) => self.invite_refused(*call, message),
            Purpose::Reinvite(call) => self.reinvite_refused(*call, status, now),
            Purpose::Bye(Some(call)) => {
                self.calls.remove(call);
            }
            Purpose::Presence => self.publish_failed(status, None, now),
            Purpose::Info(call) => self.digit_answered(*call, status, now),
            Purpose::Kpml(call) => self.keys_refused(*call),
            Purpose::Update(call) => self.update_refused(*call, status, now),
            Purpose::Refer(call) => self.refer_failed(*call, status, message.explanation()),
            Purpose::Told(call) => self.referrer_gone(*call),
            Purpose::Subscribe(id) => self.subscribe_failed(*id, status, None, now),
            Purpose::Press(id) => self.press_response(*id, status, &message.explanation(), now),
            Purpose::DoNotDisturb => {
                self.do_not_disturb_answered(status, &message.explanation());
            }
            Purpose::Refresh(_)
            | Purpose::Prack(_)
            | Purpose::KeepAlive(_)
            | Purpose::Bye(None)
            | Purpose::Cancel => {}
        }
    }
}
