//! A strict reader of the pages: stricter than a browser, which forgives what would be a mistake here.

/// A tag that was read: its name and its attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    /// The text from here to the next tag, not unescaped.
    pub(super) text: String,
}

impl Tag {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn has_class(&self, class: &str) -> bool {
        self.attribute("class").is_some_and(|classes| classes.split(' ').any(|other| other == class))
    }

    pub(super) fn number(&self, name: &str) -> f64 {
        self.attribute(name).and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{name} of {self:?}"))
    }
}

/// All opening tags, or what is wrong with the page.
pub(super) fn read(page: &str) -> Result<Vec<Tag>, String> {
    let mut rest = page.strip_prefix("<!DOCTYPE html>\n").ok_or("no document type")?;
    let (mut tags, mut open) = (Vec::<Tag>::new(), Vec::new());
    while let Some(start) = rest.find('<') {
        check_text(&rest[..start])?;
        let end = rest.find('>').ok_or("a tag without an end")?;
        let (tag, after) = (&rest[start + 1..end], &rest[end + 1..]);
        let until = after.find('<').unwrap_or(after.len());
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop().as_deref() != Some(name) {
                return Err(format!("</{name}> closes nothing"));
            }
        } else {
            let (tag, closes_itself) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
            let tag = Tag { text: after[..until].to_owned(), ..self::tag(tag)? };
            if !closes_itself {
                open.push(tag.name.clone());
            }
            tags.push(tag);
        }
        rest = after;
    }
    check_text(rest)?;
    if open.is_empty() { Ok(tags) } else { Err(format!("{open:?} are never closed")) }
}

/// In a style, a `>` would be a selector; there is none of these either.
fn check_text(text: &str) -> Result<(), String> {
    let is_bad = |letter: char| letter == '>' || (letter.is_control() && letter != '\n') || is_invisible(letter);
    let bad_entity = text
        .split('&')
        .skip(1)
        .any(|after| !["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|entity| after.starts_with(entity)));
    if text.contains(is_bad) || bad_entity { Err(format!("{text:?} is not escaped")) } else { Ok(()) }
}

fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn tag(text: &str) -> Result<Tag, String> {
    let (name, mut rest) = text.split_once(' ').unwrap_or((text, ""));
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '-');
    let mut attributes: Vec<(String, String)> = Vec::new();
    while !rest.is_empty() {
        let (attribute, after) = rest.split_once("=\"").ok_or_else(|| format!("{rest:?} in <{text}>"))?;
        let (value, after) = after.split_once('"').ok_or_else(|| format!("{after:?} in <{text}>"))?;
        check_text(value)?;
        if !is_name(attribute) || attributes.iter().any(|(other, _)| other == attribute) {
            return Err(format!("the attribute {attribute:?} in <{text}>"));
        }
        attributes.push((attribute.to_owned(), value.to_owned()));
        rest = after.strip_prefix(' ').unwrap_or(after);
    }
    if !is_name(name) {
        return Err(format!("the name of <{text}>"));
    }
    Ok(Tag { name: name.to_owned(), attributes, text: String::new() })
}

#[test]
fn mistakes_are_found() {
    let page = |body: &str| format!("<!DOCTYPE html>\n{body}");
    assert_eq!(read(&page("<a b=\"c\">d<e/></a>")).expect("right").len(), 2);
    for mistake in [
        "<a>",
        "</a>",
        "<a><b></a></b>",
        "<a b=c/>",
        "<a b=\"c\" b=\"d\"/>",
        "<a>x > y</a>",
        "<a>&nope;</a>",
        "<a>\u{1b}</a>",
        "<a b=\"\u{202e}\"/>",
        "<1%/>",
        "<a",
    ] {
        assert!(read(&page(mistake)).is_err(), "{mistake}");
    }
}
