//! Being asked to call somebody else, and telling the one who asked how that fares (RFC 3515,
//! RFC 3892, RFC 4488).

use std::time::{Duration, Instant};

use offhook_model::DialString;

use super::{Context, Event, Purpose, Referral, SipCall, UserAgent};
use crate::dialog::Dialog;
use crate::identity::Identity;
use crate::message::text::trim;
use crate::message::uri::unescape;
use crate::message::{Address, Message, Method, Name, Scheme, Uri};
use crate::transaction::ServerKey;

/// How long the one who asked is told without asking again.
const TELLING: Duration = Duration::from_secs(180);
/// Most referrals that are followed or waited for at once.
const MOST: usize = 8;

/// A REFER of theirs and the subscription that it makes.
#[derive(Debug)]
pub(super) struct Asking {
    call: SipCall,
    /// The call's dialog as it was when the call ended or the last word went out.
    dialog: Dialog,
    /// Value of Event in what is told.
    event: String,
    wanted: Wanted,
    /// They want to hear how it fares.
    tells: bool,
    /// It came outside every call.
    outside: bool,
    /// The call that was made of it.
    made: Option<SipCall>,
    /// What was told last.
    told: u16,
    /// What is to be told.
    news: Option<u16>,
    pub until: Instant,
}

/// What a REFER wants.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Whom to call, without headers.
    target: String,
    who: Identity,
    /// Value of the Replaces header that the INVITE is to have.
    replaces: Option<String>,
    /// Value of Referred-By.
    by: Option<String>,
}

impl UserAgent {
    /// A REFER in a call.
    pub(super) fn asked_to_call(
        &mut self,
        id: SipCall,
        key: &ServerKey,
        message: &Message,
        now: Instant,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let waits = self.askings.iter().any(|asking| asking.call == id && asking.made.is_none());
        let wanted = match wanted(message) {
            Err(status) => Err(status),
            Ok(_) if !call.is_up() => Err(403),
            Ok(_) if waits => Err(491),
            Ok(_) if self.askings.len() >= MOST => Err(503),
            Ok(wanted) => Ok(wanted),
        };
        let status = wanted.as_ref().map_or_else(|status| *status, |_| 202);
        let tells = tells(message);
        let first = !std::mem::replace(&mut call.referred_before, true);
        let number = message.cseq().map_or(0, |cseq| cseq.number);
        let Some(dialog) = call.dialog.as_mut() else { return };
        dialog.refresh(message);
        let dialog = dialog.clone();
        self.answer_refer(id, key, message, status, tells, now);
        let Ok(wanted) = wanted else { return };
        let referral = Referral {
            target: wanted.who.clone(),
            by: wanted.by.as_deref().and_then(|by| Some(Identity::of(&Address::parse(by).ok()?))),
            attended: wanted.replaces.is_some(),
            outside: false,
        };
        // RFC 3515 section 2.4.6: only later ones need a name.
        let event = if first { "refer".to_owned() } else { format!("refer;id={number}") };
        self.askings.push(Asking {
            call: id,
            dialog,
            event,
            wanted,
            tells,
            outside: false,
            made: None,
            told: 0,
            news: Some(100),
            until: now + TELLING,
        });
        self.tell_referrers(now);
        self.event(Event::Referred { call: id, referral: Box::new(referral) });
    }

    /// A REFER outside every call, from anybody who can reach us. It is no more than a question to
    /// the person: whoever is sent somewhere pays for the call and is heard there. One question at a
    /// time, so that nobody is flooded with them; a call manager has its own way to have us
    /// dial, so of others on its line nothing is taken.
    pub(super) fn asked_from_outside(&mut self, key: &ServerKey, message: &Message, now: Instant) {
        let waits = |asking: &Asking| asking.outside && asking.made.is_none();
        let wanted = match wanted(message) {
            _ if self.is_cucm() => Err(403),
            Err(status) => Err(status),
            // Nobody but who is in a call gives it away.
            Ok(wanted) if wanted.replaces.is_some() => Err(403),
            Ok(_) if self.askings.iter().any(waits) => Err(480),
            Ok(_) if self.askings.len() >= MOST => Err(503),
            Ok(wanted) => Ok(wanted),
        };
        let tag = self.tokens.tag();
        let dialog = Dialog::of_request(message, &tag);
        let (wanted, dialog) = match (wanted, dialog) {
            (Ok(wanted), Some(dialog)) => (wanted, dialog),
            (wanted, _) => {
                let status = wanted.err().unwrap_or(400);
                return self.answer_plainly(key, message, status, now);
            }
        };
        let tells = tells(message);
        let mut response = self.tagged_response(message, 202, &tag);
        response.push(Name::Contact, self.contact());
        if !tells {
            response.push(Name::ReferSub, "false");
        }
        self.respond(key, &response, now);
        let call = self.new_call_id();
        let referral = Referral {
            target: wanted.who.clone(),
            by: Some(Identity::of_sender(message)),
            attended: false,
            outside: true,
        };
        self.askings.push(Asking {
            call,
            dialog,
            event: "refer".to_owned(),
            wanted,
            tells,
            outside: true,
            made: None,
            told: 0,
            news: Some(100),
            until: now + TELLING,
        });
        self.tell_referrers(now);
        self.event(Event::Referred { call, referral: Box::new(referral) });
    }

    fn answer_refer(
        &mut self,
        id: SipCall,
        key: &ServerKey,
        message: &Message,
        status: u16,
        tells: bool,
        now: Instant,
    ) {
        let contact = self.contact();
        let Some(call) = self.calls.get(&id) else { return };
        let mut response = self.call_response(call, message, status);
        if status < 300 {
            response.push(Name::Contact, contact);
            if !tells {
                response.push(Name::ReferSub, "false");
            }
        }
        self.respond(key, &response, now);
    }

    /// Makes the call that was asked for.
    pub(super) fn follow_referral(
        &mut self,
        id: SipCall,
        sdp: String,
        now: Instant,
    ) -> Option<SipCall> {
        let waits = |asking: &Asking| asking.call == id && asking.made.is_none();
        let index = self.askings.iter().position(waits)?;
        let made = self.new_call_id();
        let asking = self.askings.get_mut(index)?;
        asking.made = Some(made);
        let mut more = vec![];
        more.extend(asking.wanted.by.clone().map(|by| (Name::ReferredBy, by)));
        more.extend(asking.wanted.replaces.clone().map(|value| (Name::Replaces, value)));
        let target = asking.wanted.target.clone();
        let uri = self.referred_uri(&target);
        self.send_invite(made, uri, more, sdp, now);
        self.tell_referrers(now);
        Some(made)
    }

    /// A telephone number is called by way of our server.
    fn referred_uri(&self, target: &str) -> String {
        match Uri::parse(target) {
            Ok(Uri { scheme: Scheme::Tel, user: Some(number), .. }) => {
                let number = number.chars().filter(|c| !"-.()".contains(*c)).collect();
                self.uri_of(&DialString::Number(number))
            }
            _ => target.to_owned(),
        }
    }

    /// Does not do what was asked.
    pub(super) fn decline_referral(&mut self, id: SipCall, status: u16, now: Instant) {
        let waits = |asking: &&mut Asking| asking.call == id && asking.made.is_none();
        if let Some(asking) = self.askings.iter_mut().find(waits) {
            asking.news = Some(status);
        }
        self.tell_referrers(now);
    }

    /// Keeps what happens to a call that was made because somebody asked.
    pub(super) fn note_for_referrer(&mut self, event: &Event) {
        let (made, status) = match event {
            Event::Progress { call, status, .. } => (*call, *status),
            Event::Answered { call, .. } => (*call, 200),
            Event::Ended { call, end } => {
                let plain = if end.by == super::By::Us { 487 } else { 503 };
                (*call, end.status.unwrap_or(plain))
            }
            _ => return,
        };
        let asking = self.askings.iter_mut().find(|asking| asking.made == Some(made));
        if let Some(asking) = asking.filter(|a| a.news.is_none_or(|news| news < 200)) {
            asking.news = Some(status);
        }
    }

    /// Tells what is new to those who asked; with the final status it is over.
    pub(super) fn tell_referrers(&mut self, now: Instant) {
        for index in 0..self.askings.len() {
            let Some(asking) = self.askings.get_mut(index) else { continue };
            if let Some(news) = asking.news.take().filter(|news| *news != asking.told) {
                asking.told = news;
                let state = match news {
                    ..200 => {
                        let left = asking.until.saturating_duration_since(now);
                        format!("active;expires={}", left.as_secs())
                    }
                    _ => "terminated;reason=noresource".to_owned(),
                };
                self.tell_referrer(index, &state, now);
            }
        }
        self.askings.retain(|asking| asking.told < 200);
    }

    fn tell_referrer(&mut self, index: usize, state: &str, now: Instant) {
        let contact = self.contact();
        let Some(asking) = self.askings.get_mut(index).filter(|asking| asking.tells) else {
            return;
        };
        let call = asking.call;
        let living = self.calls.get_mut(&call).and_then(|call| call.dialog.as_mut());
        let dialog = living.unwrap_or(&mut asking.dialog);
        let mut request = dialog.request(Method::Notify);
        request.push(Name::Contact, contact);
        request.push(Name::Event, &asking.event);
        request.push(Name::SubscriptionState, state);
        let words = crate::message::reason(asking.told);
        let line = format!("SIP/2.0 {} {words}\r\n", asking.told);
        request.body("message/sipfrag;version=2.0", line);
        self.dress_plain(&mut request, self.calls.get(&call));
        self.send(request, Context::of(Purpose::Told(call)), now);
    }

    /// They do not want to hear of it (RFC 6665 section 4.2.2).
    pub(super) fn referrer_gone(&mut self, id: SipCall) {
        self.askings.iter_mut().filter(|a| a.call == id).for_each(|a| a.tells = false);
    }

    /// Before the call is forgotten: what is told later goes on in its dialog.
    pub(super) fn keep_dialog(&mut self, id: SipCall) {
        let Some(dialog) = self.calls.get(&id).and_then(|call| call.dialog.as_ref()) else {
            return;
        };
        for asking in self.askings.iter_mut().filter(|asking| asking.call == id) {
            asking.dialog = dialog.clone();
        }
    }

    /// SUBSCRIBE for `refer` in a call: it lengthens or ends what a REFER began (RFC 3515 section
    /// 2.4.4). False when there is none.
    pub(super) fn asked_to_tell(
        &mut self,
        id: SipCall,
        key: &ServerKey,
        message: &Message,
        now: Instant,
    ) -> bool {
        let event = message.header(Name::Event).unwrap_or("").replace(' ', "");
        let named = |asking: &Asking| asking.call == id && asking.tells && asking.event == event;
        let Some(index) = self.askings.iter().position(named) else { return false };
        let wanted = u64::from(message.number(Name::Expires).unwrap_or(180));
        let granted = wanted.min(TELLING.as_secs());
        let contact = self.contact();
        let Some(call) = self.calls.get(&id) else { return false };
        let mut response = self.call_response(call, message, 200);
        response.push(Name::Contact, contact);
        response.push(Name::Expires, granted);
        self.respond(key, &response, now);
        let state = match granted {
            0 => "terminated;reason=timeout".to_owned(),
            _ => format!("active;expires={granted}"),
        };
        self.tell_referrer(index, &state, now);
        if let Some(asking) = self.askings.get_mut(index) {
            asking.tells = granted > 0;
            asking.until = now + Duration::from_secs(granted).max(asking.until - now);
        }
        true
    }

    /// Nobody decided, or it took longer than they asked to be told.
    pub(super) fn referrals_timeout(&mut self, now: Instant) {
        for index in 0..self.askings.len() {
            if self.askings.get(index).is_some_and(|asking| asking.until <= now) {
                self.tell_referrer(index, "terminated;reason=timeout", now);
            }
        }
        self.askings.retain(|asking| asking.until > now);
    }
}

/// Whether they want to hear how it fares (RFC 4488).
fn tells(message: &Message) -> bool {
    !message.header(Name::ReferSub).is_some_and(|value| {
        trim(value.split(';').next().unwrap_or("")).eq_ignore_ascii_case("false")
    })
}

/// Reads a REFER.
///
/// # Errors
/// The status to answer with.
pub(crate) fn wanted(message: &Message) -> Result<Wanted, u16> {
    let mut targets = message.all(Name::ReferTo);
    let (Some(value), None) = (targets.next(), targets.next()) else { return Err(400) };
    let address = Address::parse(value).map_err(|_| 400u16)?;
    let uri = address.uri().map_err(|_| 400u16)?;
    if matches!(uri.scheme, Scheme::Other(_)) {
        return Err(416);
    }
    let method = uri.params.get("method").or_else(|| address.params.get("method"));
    if method.is_some_and(|method| method != "INVITE") {
        return Err(501);
    }
    // Of the headers that a URI may carry only this one is let into a request of ours (RFC 3261
    // section 19.1.5).
    let replaces = uri.headers.split('&').find_map(|header| {
        let (name, value) = header.split_once('=')?;
        name.eq_ignore_ascii_case("replaces").then(|| unescape(value).into_owned())
    });
    if replaces.as_deref().is_some_and(|value| super::arrival::named(value).is_none()) {
        return Err(400);
    }
    let target = Uri { headers: "", ..uri }.to_string();
    let who = Identity { uri: target.clone(), ..Identity::of(&address) };
    let by = message.header(Name::ReferredBy).filter(|by| Address::parse(by).is_ok());
    Ok(Wanted { target, who, replaces, by: by.map(str::to_owned) })
}
