//! Answers of WebDialer, the service that lets a phone on the desk call (vendor's developer guide of
//! WebDialer, SOAP interface). Values stand where they belong or, as older servers write it, in
//! another element that they name by `href`; namespaces differ between releases.

use crate::xml::{Element, XmlError, parse};

/// Most phones and lines of a phone that are read.
const MOST: usize = 20;
/// Most lists of lines of a phone that are looked for elsewhere.
const LISTS: usize = 4;

/// What the service says to a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DialerAnswer {
    /// `responseCode`; 0 is success.
    pub code: u32,
    /// Its words.
    pub text: String,
    /// The user's phones, where they were asked for.
    pub phones: Vec<DialerPhone>,
}

/// A phone that the service can make call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialerPhone {
    /// Device name.
    pub device: String,
    /// Numbers of its lines, without partitions.
    pub lines: Vec<String>,
}

/// Reads the answer to a call, to its end, or to the question for the user's phones.
///
/// # Errors
/// Broken XML, or an answer without a code.
pub fn read_dialer_answer(data: &[u8]) -> Result<DialerAnswer, XmlError> {
    let root = parse(data)?.root;
    let code = value_of(&root, "responseCode").and_then(|code| code.parse().ok());
    let text = value_of(&root, "responseDescription").or(value_of(&root, "description"));
    let names = root.find_all("deviceName").into_iter().take(MOST);
    Ok(DialerAnswer {
        code: code.ok_or(XmlError::Missing("responseCode"))?,
        text: text.unwrap_or_default().to_owned(),
        phones: names.filter_map(|name| phone(&root, name.value()?)).collect(),
    })
}

/// Reads whether a user belongs to the cluster that was asked.
///
/// # Errors
/// Broken XML, or an answer of another kind.
pub fn read_is_cluster_user(data: &[u8]) -> Result<bool, XmlError> {
    let root = parse(data)?.root;
    let answer = ["isClusterUserSoapReturn", "return"].iter().find_map(|it| value_of(&root, it));
    match answer {
        Some("true" | "1") => Ok(true),
        Some("false" | "0") => Ok(false),
        _ => Err(XmlError::Missing("isClusterUserSoapReturn")),
    }
}

/// The value of the first element of that name, or of the element that it names.
fn value_of<'a>(root: &'a Element, name: &str) -> Option<&'a str> {
    let element = root.find(name)?;
    element.value().or_else(|| referred(root, element)?.value())
}

fn referred<'a>(root: &'a Element, from: &Element) -> Option<&'a Element> {
    let id = from.attribute("href")?.strip_prefix('#')?;
    root.find_all("multiRef").into_iter().find(|it| it.attribute("id") == Some(id))
}

fn phone(root: &Element, device: &str) -> Option<DialerPhone> {
    let parent = holder(root, device)?;
    let mut lines: Vec<String> = vec![];
    for list in parent.children_named("lines").take(LISTS) {
        let listed = referred(root, list).unwrap_or(list);
        let items = listed.children_named("item").filter_map(Element::value);
        let number = |text: &str| text.split(';').next().unwrap_or_default().trim().to_owned();
        lines.extend(listed.value().into_iter().chain(items).map(number).take(MOST));
    }
    lines.retain(|line| !line.is_empty());
    lines.truncate(MOST);
    Some(DialerPhone { device: device.to_owned(), lines })
}

/// The element that has this device's name among its children.
fn holder<'a>(root: &'a Element, device: &str) -> Option<&'a Element> {
    let named =
        |it: &Element| it.child("deviceName").is_some_and(|name| name.value() == Some(device));
    let mut open = vec![root];
    while let Some(element) = open.pop() {
        if named(element) {
            return Some(element);
        }
        open.extend(&element.children);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{DialerAnswer, DialerPhone, read_dialer_answer, read_is_cluster_user};

    /// An answer in the form of release 7 to 15: parts of it elsewhere.
    fn scattered(body: &str) -> String {
        format!(
            "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>{body}\
             </soapenv:Body></soapenv:Envelope>"
        )
    }

    #[test]
    fn codes_stand_in_place_or_elsewhere() {
        let multi = scattered(
            "<ns1:makeCallSoapResponse xmlns:ns1=\"urn:WD70\"><makeCallSoapReturn href=\"#id0\"/>\
             </ns1:makeCallSoapResponse><multiRef id=\"id0\"><responseCode href=\"#id1\"/>\
             <responseDescription>Service overloaded</responseDescription></multiRef>\
             <multiRef id=\"id1\">9</multiRef>",
        );
        let answer = read_dialer_answer(multi.as_bytes()).expect("an answer");
        assert_eq!((answer.code, answer.text.as_str()), (9, "Service overloaded"));
        let plain = scattered(
            "<ns2:makeCallSoapResponse xmlns:ns2=\"http://webdialer.ccm.cisco.com\"><ns2:return>\
             <ns2:responseCode>0</ns2:responseCode><ns2:responseDescription>Success\
             </ns2:responseDescription></ns2:return></ns2:makeCallSoapResponse>",
        );
        let expected = DialerAnswer { code: 0, text: "Success".into(), phones: vec![] };
        assert_eq!(read_dialer_answer(plain.as_bytes()), Ok(expected));
        assert!(read_dialer_answer(scattered("<fault/>").as_bytes()).is_err());
        assert!(read_dialer_answer(b"<html>").is_err());
    }

    #[test]
    fn phones_have_their_lines_in_both_forms() {
        let phones =
            |body: &str| read_dialer_answer(scattered(body).as_bytes()).expect("ok").phones;
        let one = |lines: &[&str]| {
            let lines = lines.iter().map(|&line| line.to_owned()).collect();
            vec![DialerPhone { device: "SEP1".into(), lines }]
        };
        let multi = "<deviceInfoList><item href=\"#id1\"/></deviceInfoList><responseCode>0\
                     </responseCode><multiRef id=\"id1\"><deviceName>SEP1</deviceName><lines>\
                     <item>1251 ; no partition</item><item>1252</item></lines></multiRef>";
        assert_eq!(phones(multi), one(&["1251", "1252"]));
        let plain = "<return><deviceInfoList><deviceName>SEP1</deviceName><lines>1000 ; Global\
                     </lines></deviceInfoList><responseCode>0</responseCode></return>";
        assert_eq!(phones(plain), one(&["1000"]));
    }

    #[test]
    fn a_cluster_says_whose_user_it_is() {
        let answer = |text: &str| {
            let body = format!("<isClusterUserSoapReturn>{text}</isClusterUserSoapReturn>");
            read_is_cluster_user(scattered(&body).as_bytes())
        };
        assert_eq!((answer("true"), answer("false")), (Ok(true), Ok(false)));
        assert!(answer("perhaps").is_err());
    }
}
