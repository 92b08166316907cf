//! Binds with the ticket of whoever is signed in at the system: SASL's mechanism GSSAPI (RFC 4752).

mod layer;

use offhook_model::{Fault, TicketFault};
use offhook_net::Tickets;
use offhook_ports::LdapFailure;
use tokio::time::{Instant, timeout_at};

use crate::connection::Connection;
use crate::message::{self, Outcome, Response};
use crate::open::out_of_turn;
pub(crate) use layer::{Layer, whole};

/// Name of the mechanism.
const MECHANISM: &str = "GSSAPI";
/// Tokens that are sent at most before the directory must have made up its mind; two are usual.
const MOST_TOKENS: u32 = 16;

/// What protects the connection after the bind; the bits of RFC 4752 section 3.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protection {
    /// Nothing, for TLS does, or the directory offers no more.
    None = 1,
    /// Changes are noticed.
    Integrity = 2,
    /// Nobody else can read it.
    Confidentiality = 4,
}

/// Binds. With TLS below, nothing of ours protects the connection once more: Active Directory
/// refuses two protections, one in the other. Without TLS the connection is encrypted by the
/// ticket's key where the directory offers it.
pub(crate) async fn bind(
    connection: &mut Connection,
    host: &str,
    deadline: Instant,
) -> Result<(), LdapFailure> {
    let tls = connection.tls.is_some();
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let context = Tickets::new("ldap", &host, !tls, connection.binding());
    let mut context = Some(context.map_err(LdapFailure::Ticket)?);
    let mut heard = vec![];
    let mut tokens = 0;
    loop {
        tokens += 1;
        if tokens > MOST_TOKENS {
            return Err(nonsense("fewer tokens"));
        }
        // The library may wait for the realm's servers: not where others want to go on.
        let mut own = context.take().ok_or_else(|| nonsense("a token in its turn"))?;
        let stepped = tokio::task::spawn_blocking(move || {
            let stepped = own.step(&heard);
            (own, stepped)
        });
        // Of both it is the realm that has not answered: the directory waits for us.
        let Ok(stepped) = timeout_at(deadline, stepped).await else {
            return Err(LdapFailure::Ticket(TicketFault::NoRealm));
        };
        // Not run to its end: the program ends.
        let (own, stepped) = stepped.map_err(|_| LdapFailure::Fault(Fault::Closed))?;
        context = Some(own);
        let (token, whole) = stepped.map_err(LdapFailure::Ticket)?;
        let (outcome, answer) = ask(connection, &token).await?;
        match outcome.code {
            IN_PROGRESS if whole => {
                heard = answer;
                break;
            }
            IN_PROGRESS => heard = answer,
            // It may not let in before both know what protects the connection.
            0 => return Err(nonsense("a word about protection")),
            code => return Err(refused(code)),
        }
    }
    let Some(mut context) = context else { return Err(nonsense("a token in its turn")) };
    let offer = context.unwrap(&heard).map_err(LdapFailure::Ticket)?;
    let (protection, room) = chosen(&offer, tls)?;
    // Who it is about is who the ticket is about: no name follows.
    let [_, size @ ..] = u32::try_from(layer::LARGEST).unwrap_or(0).to_be_bytes();
    let size = if protection == Protection::None { [0; 3] } else { size };
    let words = [protection as u8, size[0], size[1], size[2]];
    let words = context.wrap(&words, false).map_err(LdapFailure::Ticket)?;
    match ask(connection, &words).await?.0.code {
        0 => {}
        code => return Err(refused(code)),
    }
    if protection != Protection::None {
        let confidential = protection == Protection::Confidentiality;
        let layer = Layer::new(context, confidential, room).map_err(LdapFailure::Ticket)?;
        connection.protect(layer).map_err(LdapFailure::Fault)?;
    }
    Ok(())
}

/// `saslBindInProgress`.
const IN_PROGRESS: u32 = 14;

async fn ask(connection: &mut Connection, token: &[u8]) -> Result<(Outcome, Vec<u8>), LdapFailure> {
    let id = connection.next_id();
    let bytes = message::sasl_bind(id, MECHANISM, token);
    connection.send(bytes.expose()).await.map_err(LdapFailure::Fault)?;
    match connection.receive(id, 0).await.map_err(LdapFailure::Fault)? {
        Response::Bound(outcome, token) => Ok((outcome, token)),
        other => Err(out_of_turn(&other)),
    }
}

/// What the directory offers, and the bytes that it takes at once.
fn chosen(offer: &[u8], tls: bool) -> Result<(Protection, u32), LdapFailure> {
    let [offered, room @ ..] = offer else { return Err(nonsense("an offer of protection")) };
    let [a, b, c] = *room else { return Err(nonsense("an offer of protection")) };
    let room = u32::from_be_bytes([0, a, b, c]);
    let wanted = match tls {
        true => &[Protection::None][..],
        false => &[Protection::Confidentiality, Protection::Integrity, Protection::None],
    };
    let found = wanted.iter().find(|one| offered & **one as u8 != 0);
    found.map(|one| (*one, room)).ok_or(LdapFailure::Ticket(TicketFault::Protection))
}

fn refused(code: u32) -> LdapFailure {
    match code {
        // Servers say both of a ticket that their key does not open.
        49 | 80 => LdapFailure::Ticket(TicketFault::Refused),
        // Active Directory under TLS, where it is told to want a protection of its own.
        8 | 13 => LdapFailure::Ticket(TicketFault::Protection),
        7 | 48 | 53 => LdapFailure::BindRefused(code),
        code => LdapFailure::Result(code),
    }
}

fn nonsense(what: &str) -> LdapFailure {
    LdapFailure::Fault(Fault::Nonsense(format!("{what} (LDAP)")))
}

#[cfg(test)]
mod tests {
    use offhook_model::TicketFault;
    use offhook_ports::LdapFailure;

    use super::{Protection, chosen};

    #[test]
    fn the_strongest_protection_is_taken_and_none_within_tls() {
        let most = Ok((Protection::Confidentiality, 0x01_00_00));
        assert_eq!(chosen(&[7, 1, 0, 0], false), most);
        assert_eq!(chosen(&[3, 1, 0, 0], false), Ok((Protection::Integrity, 0x01_00_00)));
        assert_eq!(chosen(&[1, 0, 0, 0], false), Ok((Protection::None, 0)));
        assert_eq!(chosen(&[7, 1, 0, 0], true), Ok((Protection::None, 0x01_00_00)));
        let none = Err(LdapFailure::Ticket(TicketFault::Protection));
        assert_eq!(chosen(&[6, 1, 0, 0], true), none);
        assert_eq!(chosen(&[0, 1, 0, 0], false), none);
    }

    #[test]
    fn an_offer_has_four_bytes() {
        for offer in [&[][..], &[7], &[7, 0, 0], &[7, 0, 0, 0, 0]] {
            assert!(matches!(chosen(offer, false), Err(LdapFailure::Fault(_))), "{offer:?}");
        }
    }
}
