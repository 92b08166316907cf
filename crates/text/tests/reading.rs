//! What whole messages become, hostile ones among them.

use offhook_text::{Block, MAX_BYTES, Mention, Names, Span, read, read_html};
use proptest::prelude::{Strategy, any, prop_assert, proptest};

fn spans(html: &str) -> Vec<Span> {
    let read = read_html(html, Names::default()).expect("readable");
    let mut all = Vec::new();
    for block in read.blocks {
        if let Block::Paragraph(spans) = block {
            all.extend(spans);
        }
    }
    all
}

fn plain(html: &str) -> String {
    read_html(html, Names::default()).map(|text| text.plain()).unwrap_or_default()
}

#[test]
fn styles_of_xhtml_are_weight_slant_and_lines_only() {
    let all = spans(
        "<body>a <strong>b</strong> <span style='font-style: italic; color: red; font-size: 900%'>c</span> <span style='text-decoration:line-through underline'>d</span></body>",
    );
    let found: Vec<_> = all
        .iter()
        .map(|one| (one.text.trim(), one.style.bold, one.style.italic, one.style.strike))
        .filter(|one| !one.0.is_empty())
        .collect();
    let wanted = [
        ("a", false, false, false),
        ("b", true, false, false),
        ("c", false, true, false),
        ("d", false, false, true),
    ];
    assert_eq!(found, wanted);
    assert!(all.iter().any(|one| one.style.underline));
}

#[test]
fn blocks_of_xhtml_are_those_of_styling() {
    let text = read_html(
        "<html><body><p>one</p><blockquote><p>two</p></blockquote><pre>a\n  b</pre><ul><li>x</li><li>y</li></ul></body></html>",
        Names::default(),
    )
    .expect("readable");
    assert!(matches!(text.blocks.as_slice(), [
        Block::Paragraph(_),
        Block::Quote(_),
        Block::Code(code),
        Block::Paragraph(_),
        Block::Paragraph(_)
    ] if code == "a\n  b"));
    assert_eq!(text.plain(), "one\ntwo\na\n  b\n• x\n• y");
}

#[test]
fn nothing_active_comes_through_and_nothing_is_loaded() {
    let hostile = "<body onload='a()'><script>alert(1)</script><style>p{}</style>\
        <img src='https://spy.example/1.png' alt='a cat'/><iframe src='http://x'>in</iframe>\
        <object data='x'>obj</object><a href='javascript:alert(1)'>click</a>\
        <a href='file:///etc/passwd'>file</a><p>end</p></body>";
    assert_eq!(plain(hostile), "[a cat]clickfile\nend");
    assert!(spans(hostile).iter().all(|one| one.link.is_none()));
}

#[test]
fn a_link_that_says_another_host_shows_where_it_leads() {
    let shown = plain("<body><a href='https://evil.example/'>https://bank.example</a></body>");
    assert_eq!(shown, "https://bank.example (https://evil.example/)");
    let honest = plain("<body><a href='https://bank.example/'>our bank</a></body>");
    assert_eq!(honest, "our bank");
}

#[test]
fn bombs_and_depths_are_refused_and_the_plain_body_stands() {
    let bomb = "<!DOCTYPE b [<!ENTITY a 'ha'>]><body>&a;</body>";
    let deep = format!("<body>{}x", "<b>".repeat(500));
    let many = "<i/>".repeat(10_000);
    let large = "x".repeat(MAX_BYTES + 1);
    for refused in [bomb, &deep, &many, &large, "<body>&#0;<", "", "<body/>", "<p> </p>"] {
        assert_eq!(read_html(refused, Names::default()), None);
    }
}

#[test]
fn mentions_and_links_are_found_outside_of_code() {
    let names = Names { us: "mary", others: &["Amira"] };
    let text = read("@mary *@Amira* `@mary https://x.example` https://y.example", names);
    let Some(Block::Paragraph(spans)) = text.blocks.first() else { panic!("{text:?}") };
    let found: Vec<_> =
        spans.iter().filter_map(|one| Some((one.text.as_str(), one.mention?))).collect();
    assert_eq!(found, [("@mary", Mention::Us), ("@Amira", Mention::Other)]);
    let links: Vec<_> = spans.iter().filter_map(|one| one.link.as_deref()).collect();
    assert_eq!(links, ["https://y.example"]);
    assert_eq!(text.plain(), "@mary @Amira @mary https://x.example https://y.example");
}

#[test]
fn the_longest_texts_keep_their_bound() {
    for unit in
        ["*", "_a ", "> ", "```\n", "@", "@mary", "http://", "a.", "(", "\u{301}", "<b>", "*_~`"]
    {
        let text = unit.repeat(MAX_BYTES / unit.len() + 8);
        offhook_text::fuzzing::body(text.as_bytes());
        offhook_text::fuzzing::html(text.as_bytes());
    }
}

fn pieces() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        "*",
        "_",
        "~",
        "`",
        "```",
        "\n",
        ">",
        " ",
        "a",
        "ß",
        "@mary",
        "@",
        "https://x.example",
        "www.",
        "(",
        ")",
        "\u{202e}",
        "\u{200d}",
        "👍",
        ":",
        "<b>",
        "</b>",
        "<a href='http://a.b'>",
        "</a>",
        "&amp;",
        "&",
        "<blockquote>",
        "<br/>",
    ]);
    proptest::collection::vec(piece, 0..60).prop_map(|all| all.concat())
}

proptest! {
    #[test]
    fn any_text_is_read(text in any::<String>()) {
        offhook_text::fuzzing::body(text.as_bytes());
        offhook_text::fuzzing::html(text.as_bytes());
    }

    #[test]
    fn any_mixture_of_marks_is_read(text in pieces()) {
        offhook_text::fuzzing::body(text.as_bytes());
        offhook_text::fuzzing::html(text.as_bytes());
    }

    #[test]
    fn words_without_marks_say_what_they_said(text in "[a-zäöü .,!?]{0,80}") {
        let read = read(&text, Names::default());
        prop_assert!(read.plain().trim() == text.trim());
    }
}
