//! What the pages have: every feature of call control and every kind of failure with its ladders.
//! A ladder that is in no row, and a row without its ladder, fail the test.

use std::collections::BTreeSet;

const INTRO: &str = "# Ladders

What goes over the wire, what the user does, sees and hears, step by step, for every feature of call control and every way a
call can fail. The pages and this one are written and compared by `crates/call/tests/ladders`: a phone as the program has it
against scripted peers, in virtual time.

`--> Bob` is a message of ours in the call with Bob, `<-- Bob` one of his; `server` is the registrar or call manager, which
has its name where there are several. Bodies and most headers are left out: `sound sendonly` is the direction in the session
description. `==> stream` goes beside the sound, and `history` is the list of calls.
";

/// All pages.
const PAGES: &[&str] = &[
    "calls.md",
    "inside.md",
    "refused.md",
    "redirected.md",
    "silence.md",
    "crash.md",
    "network.md",
    "moving.md",
    "unheard.md",
    "transfer.md",
    "transferred.md",
    "features.md",
    "call-manager.md",
    "registration.md",
];

/// A page, and the ladders of it that are meant; none means all.
type Place = (&'static str, &'static [&'static str]);

/// What is shown, and where.
const ROWS: &[(&str, &[Place])] = &[
    ("calls made, taken, given up, missed; the history of calls", &[("calls.md", &[])]),
    (
        "early media, changed before the answer (UPDATE)",
        &[
            ("calls.md", &["Sound before the answer"]),
            ("inside.md", &["Changed before the answer"]),
        ],
    ),
    (
        "several calls, call waiting, busy trigger",
        &[("features.md", &["Call waiting"]), ("call-manager.md", &["The busy trigger"])],
    ),
    (
        "hold and resume from either side, with their music",
        &[
            ("features.md", &["We hold and resume", "They hold us"]),
            ("inside.md", &["They hold us without a description"]),
        ],
    ),
    ("mute", &[("features.md", &["Mute"])]),
    (
        "digits: telephone events, INFO, KPML",
        &[
            ("features.md", &["Digits", "Digits where telephone events were not agreed"]),
            ("call-manager.md", &["Digits that the call manager asks for"]),
        ],
    ),
    ("blind and attended transfer, and how each can fail", &[("transfer.md", &[])]),
    ("being transferred, replaced (Replaces)", &[("transferred.md", &[])]),
    (
        "conference mixed here; somebody joins (Join)",
        &[(
            "features.md",
            &[
                "Three in one conversation",
                "Out of a conference that is mixed here",
                "Somebody joins a conversation",
            ],
        )],
    ),
    (
        "conference at the bridge, roster, taking out; how it can fail",
        &[(
            "call-manager.md",
            &[
                "Conference at the bridge",
                "No conference can be made",
                "Nobody answers the button Conference",
                "The network breaks while a conference is made",
                "Who is at the bridge, and out with the last",
            ],
        )],
    ),
    (
        "park",
        &[("call-manager.md", &["Park and take back", "Park is refused", "Park is not known"])],
    ),
    (
        "pickup, group pickup",
        &[(
            "call-manager.md",
            &[
                "Pickup",
                "Pickup in another group",
                "Pickup of one number",
                "Nothing rings there",
                "Pickup where there is none",
            ],
        )],
    ),
    (
        "call forward all",
        &[
            ("features.md", &["All calls go somewhere else"]),
            ("call-manager.md", &["Forward all calls", "Forwarding is refused", "Set elsewhere"]),
        ],
    ),
    (
        "do not disturb",
        &[
            ("features.md", &["Do not disturb: no ringing", "Do not disturb: refused"]),
            (
                "call-manager.md",
                &["Do not disturb is told to the server", "The server takes no word of it"],
            ),
        ],
    ),
    (
        "auto answer; answered and called for us",
        &[
            (
                "features.md",
                &["Answered by itself", "An answer by itself is demanded and not allowed"],
            ),
            ("call-manager.md", &["Called and answered for you"]),
        ],
    ),
    ("answered at another phone", &[("features.md", &["Answered at another phone"])]),
    ("redial", &[("features.md", &["Redial"])]),
    (
        "divert to voicemail; messages waiting",
        &[
            ("features.md", &["To voicemail"]),
            (
                "call-manager.md",
                &["A ringing call to voicemail", "The mailbox does not take a call"],
            ),
            ("registration.md", &["Messages wait"]),
        ],
    ),
    ("who is there: names that change", &[("call-manager.md", &["Somebody else is there now"])]),
    (
        "figures of the sound at its end",
        &[(
            "call-manager.md",
            &["The figures of the sound go with our BYE", "Or with our answer to theirs"],
        )],
    ),
    ("somebody is not heard: who, why, and what is tried", &[("unheard.md", &[])]),
    ("line state (BLF)", &[("features.md", &["The lamp of a line"])]),
    (
        "tones in place of statuses",
        &[("call-manager.md", &["Busy, said by a tone", "No way there, said by a tone"])],
    ),
    (
        "digest at a proxy",
        &[("inside.md", &["The proxy wants a password", "The proxy does not take the password"])],
    ),
    (
        "reliable ringing (PRACK)",
        &[(
            "inside.md",
            &[
                "Ringing that is acknowledged",
                "Our ringing is acknowledged",
                "Nobody acknowledges our ringing",
            ],
        )],
    ),
    ("forking", &[("inside.md", &["Two phones answer"])]),
    (
        "glare, delayed offer, another codec",
        &[(
            "inside.md",
            &[
                "Both change the call at once",
                "A call without a description",
                "They change the codec",
            ],
        )],
    ),
    (
        "session timers",
        &[(
            "inside.md",
            &[
                "A session is kept",
                "A session is kept, and nobody is there any more",
                "Who was to keep the session says nothing",
            ],
        )],
    ),
    ("redirection (3xx), and REFER of strangers", &[("redirected.md", &[])]),
    (
        "registration: password, refusals, silence, refresh, sign-out",
        &[(
            "registration.md",
            &[
                "With a password",
                "The password is wrong",
                "The server is overloaded",
                "The server is out of order",
                "Nobody of this name",
                "Not allowed",
                "Nobody answers the registration",
                "Kept alive",
            ],
        )],
    ),
    (
        "\"take over?\", service control",
        &[(
            "registration.md",
            &["Active on another client", "The call manager wants a new beginning"],
        )],
    ),
    (
        "fail-over, fail-back, SRST",
        &[(
            "registration.md",
            &["A call manager is lost and comes back", "All call managers are lost"],
        )],
    ),
    ("busy, no answer, 3xx to 6xx, no sound in common", &[("refused.md", &[])]),
    ("a timeout at each step", &[("silence.md", &[])]),
    ("a crash of the peer at each step", &[("crash.md", &[])]),
    ("the network lost at each step; calls preserved without a server", &[("network.md", &[])]),
    ("another network at each step", &[("moving.md", &[])]),
];

#[test]
fn every_ladder_has_its_row() {
    let mut named = BTreeSet::new();
    let mut page = format!("{INTRO}\n| shown | ladders |\n|---|---|\n");
    for (what, places) in ROWS {
        let mut cells = vec![];
        for (file, titles) in *places {
            let there = titles_of(file);
            if titles.is_empty() {
                cells.push(format!("[{}]({file}), all {}", stem(file), there.len()));
                named.extend(there.into_iter().map(|title| (*file, title)));
                continue;
            }
            for title in *titles {
                assert!(there.iter().any(|it| it == title), "{what}: no \"{title}\" in {file}");
                cells.push(format!("[{title}]({file}#{})", anchor(title)));
                named.insert((*file, (*title).to_owned()));
            }
        }
        page.push_str(&format!("| {what} | {} |\n", cells.join("; ")));
    }
    let mut count = 0;
    for file in PAGES {
        for title in titles_of(file) {
            count += 1;
            assert!(named.contains(&(*file, title.clone())), "\"{title}\" of {file} is in no row");
        }
    }
    page.push_str(&format!("\n{count} ladders on {} pages.\n", PAGES.len()));
    crate::compare("README.md", &page);
}

fn stem(file: &str) -> &str {
    file.trim_end_matches(".md")
}

/// The ladders of a page, as it stands.
fn titles_of(file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(crate::place(file)).unwrap_or_default();
    text.lines().filter_map(|line| line.strip_prefix("## ")).map(str::to_owned).collect()
}

/// As pages of Git servers name their headings.
fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}
