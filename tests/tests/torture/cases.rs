//! What RFC 4475 and RFC 5118 ask of whom their messages reach.

/// What an RFC asks of a message.
pub struct Case {
    /// Its name in the RFC.
    pub name: &'static str,
    /// Where it stands.
    pub section: &'static str,
    /// Statuses that are right at somebody the request is not for; none when it is to be ignored.
    pub asked: &'static [u16],
    /// In words.
    pub words: &'static str,
    /// What is right where the message is one request URI away from being for us.
    pub ours: &'static [u16],
}

const fn case(
    name: &'static str,
    section: &'static str,
    asked: &'static [u16],
    words: &'static str,
    ours: &'static [u16],
) -> Case {
    Case { name, section, asked, words, ours }
}

const ELSEWHERE: &str = "valid; for somebody else";
const LIBERAL: &str = "malformed, 400, or taken as if it were right";
const NO_REGISTRAR: &str = "valid; we are no registrar";

/// RFC 4475. Where a message may be taken or refused, both are right, and the table says which it
/// is.
pub const RFC_4475: &[Case] = &[
    case("wsinv", "3.1.1.1", &[404, 481], "valid, within a dialog that we do not have", &[]),
    case("intmeth", "3.1.1.2", &[501], "valid; a method that nobody knows", &[]),
    case("esc01", "3.1.1.3", &[404], ELSEWHERE, &[180]),
    case("escnull", "3.1.1.4", &[405], NO_REGISTRAR, &[]),
    case("esc02", "3.1.1.5", &[501], "valid; not REGISTER but an unknown method", &[]),
    case("lwsdisp", "3.1.1.6", &[404], ELSEWHERE, &[200]),
    case("longreq", "3.1.1.7", &[404], ELSEWHERE, &[180]),
    case("dblreq", "3.1.1.8", &[405], "of a datagram the first message only", &[]),
    case("semiuri", "3.1.1.9", &[404], ELSEWHERE, &[]),
    case("transports", "3.1.1.10", &[404], ELSEWHERE, &[200]),
    case("mpart01", "3.1.1.11", &[405], "valid; MESSAGE is not taken", &[405]),
    case("unreason", "3.1.1.12", &[], "valid; a response to nothing of ours", &[]),
    case("noreason", "3.1.1.13", &[], "valid; a response to nothing of ours", &[]),
    case("badinv01", "3.1.2.1", &[400], "400", &[400]),
    case("clerr", "3.1.2.2", &[400], "400; on a stream the rest is waited for", &[]),
    case("ncl", "3.1.2.3", &[400], "an error; a stream is closed", &[]),
    case("scalar02", "3.1.2.4", &[400], "400", &[]),
    case("scalarlg", "3.1.2.5", &[], "discarded", &[]),
    case("quotbal", "3.1.2.6", &[400], "400", &[400]),
    case("ltgtruri", "3.1.2.7", &[400], "400", &[]),
    case("lwsruri", "3.1.2.8", &[400], "400", &[]),
    case("lwsstart", "3.1.2.9", &[400, 404], LIBERAL, &[]),
    case("trws", "3.1.2.10", &[400, 404], LIBERAL, &[]),
    case("escruri", "3.1.2.11", &[400, 404], "400, or without the escaped headers", &[]),
    case("baddate", "3.1.2.12", &[400, 404], "400, or the date is ignored", &[180]),
    case("regbadct", "3.1.2.13", &[400, 405], "400, or taken; we are no registrar", &[]),
    case("badaspec", "3.1.2.14", &[400, 404], LIBERAL, &[200, 400]),
    case("baddn", "3.1.2.15", &[400, 404], LIBERAL, &[200, 400]),
    case("badvers", "3.1.2.16", &[505], "505", &[505]),
    case("mismatch01", "3.1.2.17", &[400], "400", &[400]),
    case("mismatch02", "3.1.2.18", &[501], "501 rather than 400", &[501]),
    case("bigcode", "3.1.2.19", &[], "discarded", &[]),
    case("badbranch", "3.2.1", &[400, 404], "400, or told apart as in RFC 2543", &[]),
    case("insuf", "3.3.1", &[400], "400", &[400]),
    case("unkscm", "3.3.2", &[416], "416", &[]),
    case("novelsc", "3.3.3", &[416], "416", &[]),
    case("unksm2", "3.3.4", &[405], NO_REGISTRAR, &[]),
    case("bext01", "3.3.5", &[420], "420 with Unsupported", &[420]),
    case("invut", "3.3.6", &[404, 415], "415 by whom it is for", &[415]),
    case("regaut01", "3.3.7", &[405], NO_REGISTRAR, &[]),
    case("multi01", "3.3.8", &[400], "400", &[400]),
    case("mcl01", "3.3.9", &[400], "an error; a stream is closed", &[]),
    case("bcast", "3.3.10", &[], "discarded: a response that is not ours", &[]),
    case("zeromf", "3.3.11", &[404], "valid where it is not passed on", &[200]),
    case("cparam01", "3.3.12", &[405], NO_REGISTRAR, &[]),
    case("cparam02", "3.3.13", &[405], NO_REGISTRAR, &[]),
    case("regescrt", "3.3.14", &[405], NO_REGISTRAR, &[]),
    case("sdp01", "3.3.15", &[400, 404, 406], "406 or 400 by whom it is for", &[400, 406]),
    case("inv2543", "3.4.1", &[404], ELSEWHERE, &[180]),
];

/// RFC 5118.
pub const RFC_5118: &[Case] = &[
    case("ipv6-good", "4.1", &[405], NO_REGISTRAR, &[]),
    case("ipv6-bad", "4.2", &[400], "400", &[]),
    case("port-ambiguous", "4.3", &[405], "valid: no port; we are no registrar", &[]),
    case("port-unambiguous", "4.4", &[405], NO_REGISTRAR, &[]),
    case("via-received-param-with-delim", "4.5", &[481], "valid, of no dialog", &[]),
    case("via-received-param-no-delim", "4.5", &[200, 404], "valid", &[]),
    case("ipv6-in-sdp", "4.6", &[404], ELSEWHERE, &[180, 488]),
    case("mult-ip-in-header", "4.7", &[481], "valid, of no dialog", &[]),
    case("mult-ip-in-sdp", "4.8", &[404], ELSEWHERE, &[180, 488]),
    case("ipv4-mapped-ipv6", "4.9", &[404], ELSEWHERE, &[180, 488]),
    case("ipv6-bug-abnf-3-colons", "4.10", &[404], "to be put up with", &[200]),
    case("ipv6-correct-abnf-2-colons", "4.10", &[404], ELSEWHERE, &[200]),
];
