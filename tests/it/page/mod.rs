//! What a person sees of a reading.

mod grid;
mod highlight;
mod sample;
mod standalone;
mod terminal;

/// What a browser shows of a fragment, white space kept: its text without the tags.
fn shown(html: &str) -> String {
    let mut shown = String::new();
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        shown.push_str(&rest[..open]);
        rest = &rest[open + rest[open..].find('>').expect("every tag is closed") + 1..];
    }
    shown.push_str(rest);
    let escapes = [
        ("&#13;", "\r"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
    ];
    escapes.into_iter().fold(shown, |text, (escape, meant)| text.replace(escape, meant))
}

/// The values of an attribute, in order.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    html.match_indices(&start)
        .map(|(at, _)| html[at + start.len()..].split('"').next().expect("a value ends"))
        .collect()
}
