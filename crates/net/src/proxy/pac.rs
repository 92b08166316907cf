//! Proxy auto-configuration: a program that says for each address which way to take.
//!
//! It is JavaScript, so an engine is started for it, asked once, and ended. The script sees names
//! and addresses and nothing else; its memory, stack and time are bounded.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use rquickjs::context::EvalOptions;
use rquickjs::{CatchResultExt, Context, Ctx, Function, Runtime, Value};

use crate::own;
use crate::proxy::Way;
use crate::proxy::settings::Server;

/// Bound on a script in bytes: the largest of companies have some hundred KB.
pub(super) const LARGEST: usize = 1 << 20;
/// Bound on the memory of the engine with the script.
const MEMORY: usize = 32 << 20;
/// Bound on its stack, well within that of a thread.
const STACK: usize = 512 * 1024;
/// Bounds on an answer.
const MOST_WAYS: usize = 16;
const LONGEST: usize = 4096;
/// Longest part of an error's text that is shown.
const WORDS: usize = 200;
/// The standard functions.
const FUNCTIONS: &str = include_str!("pac.js");

/// What the script may ask.
pub(super) trait Names {
    /// An address of this name, IPv4 if there is one; the script waits.
    fn resolve(&self, name: &str) -> Option<IpAddr>;
}

/// Asks the script for the ways to `url`, in the order to try. It blocks.
///
/// # Errors
/// In words: the script cannot be read, fails, does not end by `deadline`, or gives no usable way.
pub(super) fn ways(
    script: &str,
    url: &str,
    host: &str,
    names: impl Names + 'static,
    deadline: Instant,
) -> Result<Vec<Way>, String> {
    let engine = |error: rquickjs::Error| format!("its engine fails ({error})");
    let runtime = Runtime::new().map_err(engine)?;
    runtime.set_memory_limit(MEMORY);
    runtime.set_max_stack_size(STACK);
    runtime.set_interrupt_handler(Some(Box::new(move || crate::now() >= deadline)));
    let context = Context::full(&runtime).map_err(engine)?;
    let said = context.with(|ctx| {
        let asked = ask(&ctx, script, url, host, names);
        asked.catch(&ctx).map_err(|error| error.to_string())
    });
    match said {
        Ok(text) => read(&text),
        Err(_) if crate::now() >= deadline => Err("its script does not come to an end".to_owned()),
        Err(error) => {
            let words = error.split_whitespace().collect::<Vec<_>>().join(" ");
            Err(format!("its script fails: {}", words.chars().take(WORDS).collect::<String>()))
        }
    }
}

fn ask<'js>(
    ctx: &Ctx<'js>,
    script: &str,
    url: &str,
    host: &str,
    names: impl Names + 'static,
) -> rquickjs::Result<String> {
    let globals = ctx.globals();
    let resolve = move |name: String| names.resolve(&name).map(|address| address.to_string());
    globals.set("resolveName", Function::new(ctx.clone(), resolve)?)?;
    globals.set(
        "ownAddress",
        Function::new(ctx.clone(), || {
            own::outwards().unwrap_or(Ipv4Addr::LOCALHOST.into()).to_string()
        })?,
    )?;
    ctx.eval::<(), _>(FUNCTIONS)?;
    // Scripts are older than strict mode.
    let mut loosely = EvalOptions::default();
    loosely.strict = false;
    ctx.eval_with_options::<(), _>(script, loosely)?;
    let find: Function<'js> = globals.get("FindProxyForURL")?;
    let said: Value<'js> = find.call((url, host))?;
    // Nothing at all means directly.
    Ok(said.as_string().map(rquickjs::String::to_string).transpose()?.unwrap_or_default())
}

/// `PROXY a:1; PROXY b:2; DIRECT`: ways of other kinds are passed over as long as one is left.
fn read(text: &str) -> Result<Vec<Way>, String> {
    if text.len() > LONGEST {
        return Err("its script gives an answer that is too long".to_owned());
    }
    let mut ways = vec![];
    let mut trouble = None;
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()).take(MOST_WAYS) {
        let (kind, place) = part.split_once(char::is_whitespace).unwrap_or((part, ""));
        match kind.to_ascii_uppercase().as_str() {
            "DIRECT" => ways.push(Way::Direct),
            "PROXY" | "HTTP" => match Server::parse(place) {
                Ok(server) => ways.push(Way::Proxy(server)),
                Err(words) => trouble = Some(words),
            },
            _ => {
                let kind: String = kind.chars().take(20).collect();
                trouble = Some(format!("a proxy of the kind {kind} cannot be used"));
            }
        }
    }
    match trouble {
        Some(words) if ways.is_empty() => Err(format!("of what its script names, {words}")),
        _ if ways.is_empty() => Ok(vec![Way::Direct]),
        _ => Ok(ways),
    }
}

/// Reads `data` as the answer of a script.
pub(crate) fn fuzz_result(data: &[u8]) {
    if let Ok(ways) = read(&String::from_utf8_lossy(data)) {
        assert!(!ways.is_empty() && ways.len() <= MOST_WAYS);
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use super::{Names, ways};
    use crate::proxy::Way;
    use crate::proxy::settings::Server;

    struct Known;

    impl Names for Known {
        fn resolve(&self, name: &str) -> Option<IpAddr> {
            (name == "inside.example.com").then(|| IpAddr::from([10, 1, 2, 3]))
        }
    }

    fn run(script: &str, seconds: u64) -> Result<Vec<Way>, String> {
        let deadline = crate::now() + Duration::from_secs(seconds);
        ways(script, "https://loginp.example.com/", "loginp.example.com", Known, deadline)
    }

    fn says(body: &str) -> Result<Vec<Way>, String> {
        run(&format!("function FindProxyForURL(url, host) {{ {body} }}"), 20)
    }

    fn proxy(host: &str, port: u16) -> Way {
        Way::Proxy(Server { host: host.to_owned(), port })
    }

    #[test]
    fn answers_are_taken_in_their_order() {
        let order = [Way::Direct, proxy("a", 1), proxy("2001:db8::1", 2)];
        assert_eq!(says("return 'DIRECT; PROXY a:1; proxy [2001:db8::1]:2'"), Ok(order.to_vec()));
        assert_eq!(says("return 'SOCKS5 s:1; PROXY a:1;'"), Ok(vec![proxy("a", 1)]));
        for nothing in ["", "return", "return null", "return ''", "return ' ; '", "return 5"] {
            assert_eq!(says(nothing), Ok(vec![Way::Direct]), "{nothing}");
        }
        assert!(says("return 'SOCKS5 s:1'").is_err());
        assert!(says("return 'PROXY'").is_err());
    }

    #[test]
    fn the_script_learns_address_and_host() {
        let ways = says(
            "return url == 'https://loginp.example.com/' && host == 'loginp.example.com' ? 'PROXY a:1' : 'DIRECT'",
        );
        assert_eq!(ways, Ok(vec![proxy("a", 1)]));
        // Loose habits of old scripts: no declaration, an octal number.
        assert_eq!(
            says("x = 010; return x == 8 ? 'PROXY a:1' : 'DIRECT'"),
            Ok(vec![proxy("a", 1)])
        );
    }

    #[test]
    fn the_standard_functions_do_what_they_always_did() {
        let all = [
            ("isPlainHostName('intranet')", true),
            ("isPlainHostName('www.example.com')", false),
            ("isPlainHostName('::1')", false),
            ("dnsDomainIs('www.example.com', '.example.com')", true),
            ("dnsDomainIs('www.example.org', '.example.com')", false),
            ("localHostOrDomainIs('www.example.com', 'www.example.com')", true),
            ("localHostOrDomainIs('www', 'www.example.com')", true),
            ("localHostOrDomainIs('home.example.com', 'www.example.com')", false),
            ("dnsDomainLevels('www') == 0 && dnsDomainLevels('www.example.com') == 2", true),
            ("isResolvable('inside.example.com')", true),
            ("isResolvable('outside.example.com')", false),
            ("dnsResolve('inside.example.com') == '10.1.2.3'", true),
            ("dnsResolve('outside.example.com') === null", true),
            ("isInNet('198.95.249.79', '198.95.249.79', '255.255.255.255')", true),
            ("isInNet('198.95.6.8', '198.95.0.0', '255.255.0.0')", true),
            ("isInNet('198.96.6.8', '198.95.0.0', '255.255.0.0')", false),
            ("isInNet('inside.example.com', '10.0.0.0', '255.0.0.0')", true),
            ("isInNet('outside.example.com', '10.0.0.0', '255.0.0.0')", false),
            ("isInNet('300.1.1.1', '10.0.0.0', '255.0.0.0')", false),
            ("shExpMatch('http://home.example.com/people/ari/index.html', '*/ari/*')", true),
            ("shExpMatch('http://home.example.com/people/monty/', '*/ari/*')", false),
            ("shExpMatch('www.example.com', 'www?example.com')", true),
            ("shExpMatch('wwwxexample.com', 'www.example.com')", false),
            ("shExpMatch('a(b', 'a(b')", true),
            ("/^\\d+\\.\\d+\\.\\d+\\.\\d+$/.test(myIpAddress())", true),
            ("weekdayRange('SUN', 'SAT')", true),
            ("weekdayRange('SUN', 'SAT', 'GMT')", true),
            ("weekdayRange('MON', 'SUN')", true),
            ("weekdayRange('NODAY')", false),
            (
                "weekdayRange(['SUN','MON','TUE','WED','THU','FRI','SAT'][new Date().getDay()])",
                true,
            ),
            ("dateRange(1, 31)", true),
            ("dateRange('JAN', 'DEC')", true),
            ("dateRange(2020, 2999)", true),
            ("dateRange(1990, 1999)", false),
            ("dateRange(1, 'JAN', 2020, 31, 'DEC', 2999, 'GMT')", true),
            ("dateRange(1, 'JAN', 1990, 31, 'DEC', 1999)", false),
            ("dateRange('FEB', 'JAN')", true),
            ("dateRange(new Date().getFullYear())", true),
            ("dateRange()", false),
            ("timeRange(0, 23)", true),
            ("timeRange(0, 0, 23, 59)", true),
            ("timeRange(0, 0, 0, 23, 59, 59, 'GMT')", true),
            ("timeRange(24)", false),
            ("timeRange(1, 0)", true),
            ("alert('x') === undefined", true),
        ];
        for (expression, expected) in all {
            let ways = says(&format!("return ({expression}) ? 'PROXY yes:1' : 'PROXY no:1'"));
            let want = if expected { "yes" } else { "no" };
            assert_eq!(ways, Ok(vec![proxy(want, 1)]), "{expression}");
        }
    }

    #[test]
    fn a_broken_script_is_told_in_words() {
        let check = |script: &str, words: &str| {
            let error = run(script, 20).expect_err(script);
            assert!(error.contains(words), "{error}");
        };
        check("function FindProxyForURL(url, host) {", "fails");
        check("function Other() {}", "fails");
        check("function FindProxyForURL() { return missing.thing }", "fails");
        check("function FindProxyForURL() { throw new Error('x'.repeat(100000)) }", "fails");
        check("<html><body>Sign in</body></html>", "fails");
        check("function FindProxyForURL() { return 'PROXY a:1;'.repeat(10000) }", "too long");
    }

    #[test]
    fn a_script_cannot_take_for_ever_or_everything() {
        let error = run("function FindProxyForURL() { for (;;) {} }", 1).expect_err("no end");
        assert!(error.contains("end"), "{error}");
        let hoard = "function FindProxyForURL() { let all = []; for (;;) all.push('x'.repeat(1e6) + all.length) }";
        assert!(run(hoard, 20).is_err());
        assert!(
            run("function f() { return f() + 1 } function FindProxyForURL() { return f() }", 20)
                .is_err()
        );
        let slow =
            "function FindProxyForURL() { return /^(a+)+$/.test('a'.repeat(40) + 'b') ? '' : '' }";
        assert!(run(slow, 1).is_err());
        // Nothing of the machine is in reach.
        let reach = "return [typeof require, typeof process, typeof std, typeof os, typeof fetch].every((it) => it == 'undefined') ? 'PROXY a:1' : 'DIRECT'";
        assert_eq!(says(reach), Ok(vec![proxy("a", 1)]));
    }
}
