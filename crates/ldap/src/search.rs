//! One search on a bound connection: page after page, until it ends or a bound is met.

use offhook_ports::{LdapAnswer, LdapEnd, LdapFailure, LdapRequest};

use crate::connection::Connection;
use crate::message::{self, Outcome, Page, Response, weight};
use crate::open::out_of_turn;

/// Bytes of all entries of one search together.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// URLs of others that are told.
const MOST_REFERRALS: usize = 100;
/// Entries of the greatest page that is asked for; Active Directory has no greater by itself.
const PAGE: u32 = 1_000;

/// Asks, and reads what comes. `heard` tells whether anything came. When this is dropped or stops
/// at a bound of ours, the connection still knows which search is to be abandoned.
pub(crate) async fn run(
    connection: &mut Connection,
    request: &LdapRequest,
    heard: &mut bool,
) -> Result<LdapAnswer, LdapFailure> {
    let mut answer = LdapAnswer {
        entries: vec![],
        referrals: vec![],
        end: LdapEnd::Complete,
        left_out: 0,
        peer: connection.peer,
        tls: connection.tls.clone(),
    };
    let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
    let (mut bytes, mut cookie) = (0, vec![]);
    loop {
        // One more than is wanted, so that the end is known for one.
        let left = limit.saturating_sub(answer.entries.len()).saturating_add(1);
        let size = u32::try_from(left).unwrap_or(PAGE).min(request.page).min(PAGE);
        let page = (size > 0).then_some(Page { size, cookie: &cookie });
        let id = connection.next_id();
        let question = message::search(id, request, page).map_err(LdapFailure::BadFilter)?;
        connection.searching = Some(id);
        connection.send(&question).await.map_err(LdapFailure::Fault)?;
        let (outcome, next) = loop {
            let response = connection.receive(id, request.value_limit).await;
            let response = response.map_err(LdapFailure::Fault)?;
            *heard = true;
            match response {
                Response::Entry(entry, left_out) => {
                    bytes += weight(&entry);
                    if answer.entries.len() >= limit || bytes > MOST_BYTES {
                        answer.end = LdapEnd::SizeLimit;
                        return Ok(answer);
                    }
                    answer.left_out = answer.left_out.saturating_add(left_out);
                    answer.entries.push(entry);
                }
                Response::Reference(urls) => refer(&mut answer, urls),
                Response::Done(outcome, next) => break (outcome, next),
                other => return Err(out_of_turn(&other)),
            }
        };
        connection.searching = None;
        finish(&mut answer, outcome)?;
        if next.is_empty() || page.is_none() || answer.end != LdapEnd::Complete {
            return Ok(answer);
        }
        cookie = next;
    }
}

fn refer(answer: &mut LdapAnswer, urls: Vec<String>) {
    for url in urls {
        if answer.referrals.len() < MOST_REFERRALS && !answer.referrals.contains(&url) {
            answer.referrals.push(url);
        }
    }
}

/// What a result code (RFC 4511 appendix A) makes of the answer.
fn finish(answer: &mut LdapAnswer, outcome: Outcome) -> Result<(), LdapFailure> {
    answer.end = match outcome.code {
        0 => LdapEnd::Complete,
        3 => LdapEnd::TimeLimit,
        4 => LdapEnd::SizeLimit,
        // 9 is how servers of the second version refer.
        9 | 10 => {
            refer(answer, outcome.referrals);
            LdapEnd::Complete
        }
        11 => LdapEnd::AdminLimit,
        32 => return Err(LdapFailure::NoSuchBase),
        50 => return Err(LdapFailure::NotAllowed),
        code @ (7 | 8 | 13 | 48) => return Err(LdapFailure::BindRefused(code)),
        49 => return Err(LdapFailure::BadCredentials),
        code => return Err(LdapFailure::Result(code)),
    };
    Ok(())
}
