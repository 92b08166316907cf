//! The cloud's answer to the question whether a domain is one of its organisations (`FederatedSSO`
//! of the central authentication service, reference discovery.md section 2).

use crate::xml::{XmlError, parse};

/// What the service says of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CasAnswer {
    /// Error code 1: no organisation of the cloud.
    Unknown,
    /// Any other code: an organisation whose users sign in with a password. 7 is the documented
    /// one; that every other counts as well is what a public diagnostics tool does. The code as
    /// written, at most 16 characters.
    Password(String),
    /// A web page whose form starts SAML: an organisation with single sign-on. Inferred, no such
    /// answer is public.
    SamlPage,
}

/// Reads an answer. Where the elements stand is not public, so they are found by name at any depth.
///
/// # Errors
/// [`XmlError::Html`] for any other web page, which a network that wants a sign-in of its own
/// shows; broken XML, or XML without a code.
pub fn read_cas(data: &[u8]) -> Result<CasAnswer, XmlError> {
    let root = match parse(data) {
        Ok(document) => document.root,
        Err(XmlError::Html) if starts_saml(data) => return Ok(CasAnswer::SamlPage),
        Err(error) => return Err(error),
    };
    // A page that is well-formed XML and not known by its first tag.
    if root.is("form") || root.find("body").is_some() {
        return if starts_saml(data) { Ok(CasAnswer::SamlPage) } else { Err(XmlError::Html) };
    }
    let code = root.find("errorcode").and_then(|code| code.value());
    let code = code.ok_or(XmlError::Missing("it has no error code"))?;
    let shown: String = code.chars().filter(|c| !c.is_control()).take(16).collect();
    Ok(match shown.trim().parse::<u32>() {
        Ok(1) => CasAnswer::Unknown,
        Ok(_) | Err(_) => CasAnswer::Password(shown),
    })
}

/// Whether a form of the page sends a SAML request (SAML 2.0 bindings, section 3.5.4). Pages are
/// not well-formed, so this goes by the text alone, once from front to back.
fn starts_saml(data: &[u8]) -> bool {
    let page = String::from_utf8_lossy(data).to_ascii_lowercase();
    let mut rest = page.as_str();
    while let Some((_, form)) = rest.split_once("<form") {
        let (form, after) = form.split_once("</form").unwrap_or((form, ""));
        if form.contains("action") && names_request(form) {
            return true;
        }
        rest = after;
    }
    false
}

fn names_request(form: &str) -> bool {
    form.match_indices("name").any(|(at, name)| {
        let value = form.get(at + name.len()..).unwrap_or_default().trim_start();
        let value = value.strip_prefix('=').unwrap_or_default().trim_start();
        value.trim_start_matches(['"', '\'']).starts_with("samlrequest")
    })
}

#[cfg(test)]
mod tests {
    use super::{CasAnswer, read_cas};
    use crate::XmlError;

    #[track_caller]
    fn check(text: &str, expected: Result<CasAnswer, XmlError>) {
        assert_eq!(read_cas(text.as_bytes()), expected, "{text}");
    }

    #[test]
    fn the_code_decides_wherever_it_stands() {
        let flat = "<CASResponse><result>FAILURE</result><errorcode>1</errorcode></CASResponse>";
        check(flat, Ok(CasAnswer::Unknown));
        check("<a><b><c><errorCode> 01 </errorCode></c></b></a>", Ok(CasAnswer::Unknown));
        check("<errorcode>7</errorcode>", Ok(CasAnswer::Password("7".into())));
        check("<a><errorcode>12</errorcode></a>", Ok(CasAnswer::Password("12".into())));
        check("<a><errorcode>E1</errorcode></a>", Ok(CasAnswer::Password("E1".into())));
    }

    #[test]
    fn an_answer_without_a_code_is_none() {
        let missing = Err(XmlError::Missing("it has no error code"));
        check("<CASResponse><result>SUCCESS</result></CASResponse>", missing.clone());
        check("<a><errorcode/></a>", missing);
        check("", Err(XmlError::Empty));
    }

    #[test]
    fn only_a_page_with_a_saml_form_is_single_sign_on() {
        let form = "<form method=post action='https://idp.example.net/sso'>";
        let page = |inner: &str| format!("<!DOCTYPE html><html><body>{inner}</body></html>");
        let field = "<input type=hidden name=\"SAMLRequest\" value=\"x\"/></form>";
        check(&page(&format!("{form}{field}")), Ok(CasAnswer::SamlPage));
        check(&format!("<form action=\"/x\">{field}"), Ok(CasAnswer::SamlPage));
        check(&page(&format!("{form}<input name=user></form>{field}")), Err(XmlError::Html));
        check(&page("Welcome, dear guest"), Err(XmlError::Html));
        check("<p><body>SAMLRequest</body></p>", Err(XmlError::Html));
    }
}
