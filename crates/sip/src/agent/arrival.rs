//! What an INVITE of theirs tells beyond who calls: the call it takes the place of or joins, how
//! it wants to be answered, and who diverted it.

use std::time::Duration;

use super::call::Stage;
use super::{Arrival, SipCall, UserAgent};
use crate::identity::Identity;
use crate::message::text::{Params, capped_number, unquote};
use crate::message::uri::unescape;
use crate::message::{Address, Message, Name};

/// Most diversions that are told.
const MOST_DIVERSIONS: usize = 10;
/// Longest wait before a call answers itself.
const LONGEST_WAIT: u32 = 60;

/// The dialog that a Replaces or Join header names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named<'a> {
    call_id: &'a str,
    to_tag: &'a str,
    from_tag: &'a str,
    early_only: bool,
}

impl UserAgent {
    /// What an INVITE outside a dialog tells.
    ///
    /// # Errors
    /// The status to answer with, when it names a call in a way that is not allowed or that we do
    /// not have.
    pub(super) fn arrival(&self, message: &Message) -> Result<Arrival, u16> {
        let (replaces, joins) = (only(message, Name::Replaces)?, only(message, Name::Join)?);
        if replaces.is_some() && joins.is_some() {
            return Err(400);
        }
        Ok(Arrival {
            replaces: replaces.map(|named| self.replaced_call(&named)).transpose()?,
            joins: joins.map(|named| self.joined_call(&named)).transpose()?,
            answer_after: answer_after(message),
            answer_or_refuse: mode(message).is_some_and(|(auto, required)| auto && required),
            diverted: diverted(message),
        })
    }

    /// RFC 3891 section 3. Whoever knows all three parts of a dialog's name is in it or was told
    /// by somebody who is, which is the authorisation there is.
    fn replaced_call(&self, named: &Named<'_>) -> Result<SipCall, u16> {
        let (id, early) = self.named_call(named).ok_or(481u16)?;
        let stage = self.calls.get(&id).map(|call| call.stage).ok_or(481u16)?;
        match stage {
            Stage::Confirmed | Stage::Accepted if named.early_only => Err(486),
            Stage::Confirmed | Stage::Accepted => Ok(id),
            Stage::Calling if early => Ok(id),
            Stage::Ending => Err(603),
            Stage::Calling | Stage::Cancelling | Stage::Ringing => Err(481),
        }
    }

    /// RFC 3911 section 4.
    fn joined_call(&self, named: &Named<'_>) -> Result<SipCall, u16> {
        let (id, _) = self.named_call(named).ok_or(481u16)?;
        match self.calls.get(&id).map(|call| call.stage) {
            Some(Stage::Confirmed) => Ok(id),
            Some(Stage::Ending) => Err(603),
            _ => Err(481),
        }
    }

    /// The call, and whether only an early dialog of it is meant.
    fn named_call(&self, named: &Named<'_>) -> Option<(SipCall, bool)> {
        self.calls.iter().find_map(|(id, call)| {
            let is = |dialog: &crate::dialog::Dialog| {
                dialog.is_named(named.call_id, named.to_tag, named.from_tag)
            };
            let up = call.dialog.as_ref().is_some_and(is);
            let early = call.early.iter().any(|(dialog, _)| is(dialog));
            (up || early).then_some((*id, !up))
        })
    }
}

/// The dialog that the one header of this name names.
fn only(message: &Message, name: Name) -> Result<Option<Named<'_>>, u16> {
    let mut values = message.all(name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => named(value).map(Some).ok_or(400),
        (Some(_), Some(_)) => Err(400),
    }
}

/// Reads the value of a Replaces or Join header.
pub(crate) fn named(value: &str) -> Option<Named<'_>> {
    let (call_id, params) = value.split_at(value.find(';')?);
    let params = Params::new(params);
    let call_id = call_id.trim();
    let tag = |name| params.get(name).filter(|tag| !tag.is_empty());
    let named = Named {
        call_id,
        to_tag: tag("to-tag")?,
        from_tag: tag("from-tag")?,
        early_only: params.has("early-only"),
    };
    (!call_id.is_empty()).then_some(named)
}

/// Whether Answer-Mode or Priv-Answer-Mode asks for an answer without anybody doing so, and whether it
/// insists (RFC 5373 section 4). The privileged one counts first; who may use it is not known here,
/// so it grants nothing more.
fn mode(message: &Message) -> Option<(bool, bool)> {
    [Name::PrivAnswerMode, Name::AnswerMode].into_iter().find_map(|name| {
        let value = message.header(name)?;
        let (mode, params) = value.split_at(value.find(';').unwrap_or(value.len()));
        let auto = match mode.trim().to_ascii_lowercase().as_str() {
            "auto" => true,
            "manual" => false,
            _ => return None,
        };
        Some((auto, Params::new(params).has("require")))
    })
}

/// Whether and after which time the caller wants the call to be answered by itself: RFC 5373, and
/// what phones and switches write in Call-Info and Alert-Info, none of which is standardised.
pub(crate) fn answer_after(message: &Message) -> Option<Duration> {
    match mode(message) {
        Some((true, _)) => return Some(Duration::ZERO),
        // Who says that somebody is to answer means it, whatever else is written.
        Some((false, _)) => return None,
        None => {}
    }
    let seconds = |text: &str| capped_number(text).map(|s| s.min(LONGEST_WAIT));
    let told = [Name::CallInfo, Name::AlertInfo].into_iter().flat_map(|name| message.tokens(name));
    told.filter_map(|value| {
        let params = Params::new(value.find('>').map_or("", |at| &value[at + 1..]));
        let outside = Params::new(value.find(';').map_or("", |at| &value[at..]));
        let get = |name| params.get(name).or_else(|| outside.get(name));
        if let Some(after) = get("answer-after") {
            return seconds(after);
        }
        let asks = |text: &str| {
            let plain: String = text.chars().filter(char::is_ascii_alphabetic).collect();
            let plain = plain.to_ascii_lowercase();
            let plain = plain.strip_prefix("info").unwrap_or(&plain);
            ["autoanswer", "alertautoanswer", "ringanswer", "intercom"].contains(&plain)
        };
        let info = get("info").is_some_and(|info| asks(&unquote(info)));
        let intercom = get("intercom").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let bare = asks(value.split(['<', ';']).next().unwrap_or(""));
        (info || intercom || bare).then(|| get("delay").and_then(seconds).unwrap_or(0))
    })
    .next()
    .map(|seconds| Duration::from_secs(u64::from(seconds)))
}

/// Who diverted the call to us, the first one first: Diversion (RFC 5806, where the last is
/// written first), else History-Info (RFC 7044, RFC 4244).
pub(crate) fn diverted(message: &Message) -> Vec<Identity> {
    let open = |address: &Address<'_>| {
        address.params.get("privacy").is_none_or(|privacy| {
            matches!(unquote(privacy).to_ascii_lowercase().as_str(), "off" | "none" | "")
        })
    };
    let by: Vec<Identity> = message
        .addresses(Name::Diversion)
        .take(MOST_DIVERSIONS)
        .filter_map(Result::ok)
        .filter(open)
        .map(|address| Identity::of(&address))
        .collect();
    if !by.is_empty() {
        return by.into_iter().rev().collect();
    }
    history(message)
}

/// The entries of History-Info that somebody else took the place of: those that say why they were
/// left (a Reason in the URI), and those that a later entry says it was mapped from (`mp`).
fn history(message: &Message) -> Vec<Identity> {
    let entries: Vec<Address<'_>> = message
        .addresses(Name::HistoryInfo)
        .take(4 * MOST_DIVERSIONS)
        .filter_map(Result::ok)
        .collect();
    let mapped: Vec<&str> = entries.iter().filter_map(|entry| entry.params.get("mp")).collect();
    let mut found: Vec<Identity> = vec![];
    for entry in &entries {
        let Ok(uri) = entry.uri() else { continue };
        let headers = unescape(uri.headers).to_ascii_lowercase();
        let private = headers.split('&').any(|header| {
            header.strip_prefix("privacy=").is_some_and(|value| value.contains("history"))
        });
        let left = headers.split('&').any(|header| header.starts_with("reason="));
        let from = entry.params.get("index").is_some_and(|index| mapped.contains(&index));
        let bare = uri.user.is_some() && !private && (left || from);
        let identity = Identity {
            uri: crate::message::Uri { headers: "", ..uri }.to_string(),
            ..Identity::of(entry)
        };
        if bare && !found.iter().any(|other| other.uri == identity.uri) {
            found.push(identity);
        }
    }
    found.truncate(MOST_DIVERSIONS);
    found
}

#[cfg(test)]
mod tests {
    use super::{answer_after, diverted, mode, named};
    use crate::message::{Message, parse};

    fn invite(headers: &str) -> Message {
        let text = format!("INVITE sip:me@x SIP/2.0\r\n{headers}\r\n\r\n");
        parse(text.as_bytes()).expect("valid")
    }

    #[test]
    fn every_way_to_ask_for_an_answer_is_read() {
        let check = |header: &str, seconds: Option<u64>| {
            let found = answer_after(&invite(header)).map(|after| after.as_secs());
            assert_eq!(found, seconds, "{header}");
        };
        check("Answer-Mode: Auto", Some(0));
        check("Priv-Answer-Mode: auto;require", Some(0));
        check("Answer-Mode: Manual", None);
        check("Answer-Mode: Manual\r\nCall-Info: <sip:x>;answer-after=5", None);
        check("Answer-Mode: Auto\r\nPriv-Answer-Mode: Manual", None);
        check("Answer-Mode: Sometimes", None);
        check("Call-Info: <sip:x>;answer-after=5", Some(5));
        check("Call-Info: <sip:x> ; Answer-After = 99999", Some(60));
        check("Call-Info: <urn:x>;security=None", None);
        check("Alert-Info: <http://x/>;info=alert-autoanswer;delay=2", Some(2));
        check("Alert-Info: info=Auto Answer", Some(0));
        check("Alert-Info: <http://127.0.0.1/x>;info=\"Ring Answer\"", Some(0));
        check("Alert-Info: Auto Answer", Some(0));
        check("Alert-Info: ;intercom=true", Some(0));
        check("Alert-Info: <urn:alert:service:normal>", None);
        check("Subject: auto answer", None);
    }

    #[test]
    fn who_insists_on_an_answer_is_told_from_who_asks() {
        assert_eq!(mode(&invite("Answer-Mode: Auto")), Some((true, false)));
        assert_eq!(mode(&invite("Answer-Mode: auto ; Require")), Some((true, true)));
        assert_eq!(mode(&invite("Answer-Mode: Manual;require")), Some((false, true)));
        assert_eq!(mode(&invite("Subject: x")), None);
    }

    #[test]
    fn diversions_are_told_in_their_order() {
        let numbers = |headers: &str| {
            diverted(&invite(headers)).into_iter().map(|who| who.number).collect::<Vec<_>>()
        };
        assert_eq!(
            numbers("Diversion: \"B\" <sip:2@x>;reason=no-answer, <sip:1@x>;reason=user-busy"),
            ["1", "2"]
        );
        assert_eq!(numbers("Diversion: <sip:2@x>;privacy=full"), [""; 0]);
        assert_eq!(
            numbers(
                "History-Info: <sip:1@x?Reason=SIP%3Bcause%3D302>;index=1, <sip:2@x>;index=1.1,\
                 <sip:2@10.0.0.1>;index=1.1.1;rc=1.1"
            ),
            ["1"]
        );
        assert_eq!(numbers("History-Info: <sip:7@x>;index=1, <sip:8@x>;index=1.1;mp=1"), ["7"]);
        assert_eq!(numbers("History-Info: <sip:7@x?Privacy=history&Reason=SIP>;index=1"), [""; 0]);
        let many = (0..500).map(|n| format!("<sip:{n}@x>")).collect::<Vec<_>>().join(",");
        assert_eq!(numbers(&format!("Diversion: {many}")).len(), 10);
    }

    #[test]
    fn a_dialog_is_named_by_three_things() {
        assert!(named("a@b;to-tag=1;from-tag=2").is_some_and(|named| !named.early_only));
        assert!(named("a;early-only;from-tag=2;to-tag=1").is_some_and(|named| named.early_only));
        for bad in ["", "a", "a;to-tag=1", ";to-tag=1;from-tag=2", "a;to-tag=;from-tag=2"] {
            assert_eq!(named(bad), None, "{bad}");
        }
    }
}
