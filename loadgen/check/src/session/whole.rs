//! What a user knows about its document besides the state, and which changes a restore or a list shows.
//!
//! Some of it follows from the shown content alone: the fields that its save posts, and its own metadata name. That
//! holds whoever else writes. The rest depends on earlier operations, and holds only while nobody else can have written
//! or deleted the document.

use contract::document::Content;
use contract::document::posted::{Mark, NAMES, TYPES_IN_WORDS, VIEWS, is_type};
use contract::excerpt;
use contract::response::Listed;
use contract::response::restored::{
    CREATED_PART, LAST_MODIFIED_PART, NAME_PARTS, Part, Rest, TYPE_SLUG_PART, VERSION_PART,
};

/// How far a document's time may go back although no clock was set: the clocks of a server's processes differ.
const CLOCKS_DIFFER_MS: f64 = 1_000.0;

/// Times are whole milliseconds, and some servers round them.
const ROUNDING_MS: f64 = 1.0;

/// Whether a save wrote the shown document, or it is still as instantiate wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CameBy {
    Instantiate,
    Save,
}

/// What others may do to the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Others {
    Nothing,
    Save,
    /// Nothing that depends on earlier operations is certain.
    SaveAndEnd,
}

/// What a metadata name of [`NAMES`] must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    /// Anything.
    Unknown,
    /// Nothing: no save with it was acknowledged.
    Absent,
    /// The mark of the newest acknowledged save with it.
    Saved(Mark),
}

/// What a user knows about its document besides the state.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    others: Others,
    /// Whether an instantiate is known to have created the document.
    was_created: bool,
    names: [Name; NAMES.len()],
    /// As last shown.
    created_ms: Option<f64>,
    last_modified_ms: Option<f64>,
    /// The content that `last_modified_ms` was shown with.
    last_modified_of: Option<Mark>,
    /// Timestamp of the most recent envelope.
    latest_s: Option<f64>,
    /// The earliest timestamp of an envelope: the user's own saves are no older.
    earliest_s: Option<f64>,
}

impl Whole {
    pub(super) fn new(is_shared: bool) -> Self {
        let (others, name) = if is_shared { (Others::Save, Name::Unknown) } else { (Others::Nothing, Name::Absent) };
        Self {
            others,
            // The harness instantiates shared documents.
            was_created: is_shared,
            names: [name; NAMES.len()],
            created_ms: None,
            last_modified_ms: None,
            last_modified_of: None,
            latest_s: None,
            earliest_s: None,
        }
    }

    /// Notes that others may have written or deleted the document, or still may.
    pub(super) fn open(&mut self) {
        self.others = Others::SaveAndEnd;
        self.names = [Name::Unknown; NAMES.len()];
    }

    pub(super) fn created(&mut self) {
        self.was_created = true;
    }

    pub(super) fn saved(&mut self, content: Content) {
        if self.others != Others::SaveAndEnd {
            self.names[content.mark().place()] = Name::Saved(content.mark());
        }
    }

    pub(super) fn created_ms(&self) -> Option<f64> {
        self.created_ms.filter(|_| self.is_alone())
    }

    fn is_alone(&self) -> bool {
        self.others == Others::Nothing
    }

    /// Notes an envelope's timestamp. If the server's clock was set back, a document's times may go back too.
    pub(super) fn hear(&mut self, timestamp_s: f64) {
        if self.latest_s.is_some_and(|latest| timestamp_s < latest) {
            self.last_modified_ms = None;
        }
        self.latest_s = Some(timestamp_s);
        self.earliest_s = Some(self.earliest_s.map_or(timestamp_s, |earliest_s| earliest_s.min(timestamp_s)));
    }

    /// Describes what has changed in a document whose state is right. What is shown becomes the new reference, so that
    /// one change is reported once.
    pub(super) fn restored(
        &mut self,
        content: Content,
        came_by: CameBy,
        rest: &Rest,
        open_writes: &[u64],
    ) -> Option<String> {
        let wrong = self.fields(content, came_by, rest);
        let wrong = wrong.or_else(|| self.metadata(content, rest, open_writes));
        if wrong.is_some() {
            self.names = [Name::Unknown; NAMES.len()];
        }
        self.was_created &= rest.created.is().is_some();
        self.created_ms = rest.created.is();
        self.last_modified_ms = rest.last_modified.is();
        self.last_modified_of = Some(content.mark());
        wrong
    }

    /// Checks what follows from the content alone.
    fn fields(&self, content: Content, came_by: CameBy, rest: &Rest) -> Option<String> {
        if rest.type_slug != Part::Is(()) {
            return Some(posted(TYPE_SLUG_PART, &quoted(content.type_slug()), rest));
        }
        if let Some(name) = &rest.added {
            return Some(format!("{}: nobody posted it, but it is there", excerpt(name.as_bytes())));
        }
        for (place, name) in VIEWS.into_iter().enumerate() {
            let is_posted = came_by == CameBy::Save && place == content.view_place();
            match (is_posted, rest.views[place]) {
                (true, Part::Is(())) | (false, Part::Absent) => {}
                (true, _) => return Some(posted(name, &excerpt(content.view().as_bytes()), rest)),
                (false, _) => return Some(format!("{name}: not posted with what is shown, but there")),
            }
        }
        if came_by == CameBy::Instantiate {
            return None;
        }
        let own = content.mark().place();
        if rest.names[own] != Part::Is(content.mark()) {
            return Some(posted(NAME_PARTS[own], &quoted(content.mark()), rest));
        }
        self.is_no_time(LAST_MODIFIED_PART, rest.last_modified, rest)
    }

    /// Checks what follows from earlier operations.
    fn metadata(&self, content: Content, rest: &Rest, open_writes: &[u64]) -> Option<String> {
        let wrong = self.other_name(content, rest, open_writes);
        let wrong = wrong.or_else(|| self.other_creation(rest).filter(|_| self.others != Others::SaveAndEnd));
        wrong.or_else(|| self.early_save(content, rest, open_writes).filter(|_| self.is_alone()))
    }

    /// A metadata name that does not hold the newest save with it.
    fn other_name(&self, content: Content, rest: &Rest, open_writes: &[u64]) -> Option<String> {
        for (place, name) in self.names.into_iter().enumerate() {
            let is_right = match (name, rest.names[place]) {
                (Name::Unknown, _) | (Name::Absent, Part::Absent) => true,
                // Others save too.
                (Name::Saved(_), shown) if self.others == Others::Save => {
                    shown.is().is_some_and(|shown| shown.place() == place)
                }
                (name, Part::Is(shown)) if shown.writer == content.writer && shown.place() == place => {
                    name == Name::Saved(shown) || open_writes.contains(&shown.number)
                }
                _ => false,
            };
            if !is_right {
                let newest = match name {
                    Name::Saved(mark) => quoted(mark),
                    Name::Unknown | Name::Absent => "nothing".to_owned(),
                };
                return Some(posted(NAME_PARTS[place], &newest, rest));
            }
        }
        None
    }

    /// A version or a time of creation that is not the one that the document was created with.
    fn other_creation(&self, rest: &Rest) -> Option<String> {
        if self.was_created || self.created_ms.is_some() {
            if rest.version != Part::Is(()) {
                return Some(format!(
                    "{VERSION_PART}: instantiate writes \"1.0\", shown {}",
                    shown(VERSION_PART, rest)
                ));
            }
            if let Some(wrong) = self.is_no_time(CREATED_PART, rest.created, rest) {
                return Some(wrong);
            }
        }
        let (before, now) = self.created_ms.zip(rest.created.is()).filter(|(before, now)| differ(*before, *now))?;
        Some(format!("{CREATED_PART}: shown {before} before, now {now}"))
    }

    /// A time of the last save from before what was shown earlier, or from before the session.
    fn early_save(&self, content: Content, rest: &Rest, open_writes: &[u64]) -> Option<String> {
        let now = rest.last_modified.is()?;
        // A write without a clear response may have taken its timestamp long before it took effect.
        let is_late = open_writes.contains(&content.number);
        let before = self.last_modified_ms.filter(|before| !is_late && now < before - CLOCKS_DIFFER_MS);
        if let Some(before) = before {
            return Some(format!("{LAST_MODIFIED_PART}: shown {before} before, now {now}"));
        }
        let began = self.earliest_s? * 1_000.0;
        let is_early = now < began - CLOCKS_DIFFER_MS;
        is_early.then(|| format!("{LAST_MODIFIED_PART}: {now}, before the session began at {began}"))
    }

    /// Describes a part that is not a time in Unix milliseconds.
    fn is_no_time(&self, name: &str, part: Part<f64>, rest: &Rest) -> Option<String> {
        match part {
            Part::Is(time) if self.is_in_ms(time) => None,
            Part::Is(time) => {
                Some(format!("{name}: {time} is no time in ms, at {} s", self.latest_s.unwrap_or_default()))
            }
            Part::Absent | Part::Other => {
                Some(format!("{name}: a time in ms is to be there, shown {}", shown(name, rest)))
            }
        }
    }

    /// Whether a time is in Unix milliseconds, judged by the envelope's seconds: no clock is off by a factor of ten.
    fn is_in_ms(&self, time: f64) -> bool {
        let Some(now_s) = self.latest_s.filter(|now_s| *now_s > 0.0) else { return true };
        (now_s / 10.0..now_s * 10.0).contains(&(time / 1_000.0))
    }

    /// Describes what is wrong with the entry of the user's own document.
    pub(super) fn listed(&mut self, entry: &Listed, newest: Option<Mark>) -> Option<String> {
        let wrong = self.entry_fault(entry, newest)?;
        Some(format!("{}: {wrong}", entry.key()))
    }

    fn entry_fault(&mut self, entry: &Listed, newest: Option<Mark>) -> Option<String> {
        let metadata = &entry.metadata;
        let text =
            |text: Option<&str>| text.map_or_else(|| "nothing".to_owned(), |text| quoted(excerpt(text.as_bytes())));
        let time = |time: Option<f64>| time.map_or_else(|| "nothing".to_owned(), |time| time.to_string());
        let newest = newest.filter(|_| self.is_alone());
        let (posted, is_right) = newest.map_or_else(
            || (TYPES_IN_WORDS.to_owned(), entry.type_slug.as_deref().is_some_and(is_type)),
            |newest| (quoted(newest.type_slug()), entry.type_slug.as_deref() == Some(newest.type_slug())),
        );
        if !is_right {
            return Some(format!("typeSlug: posted {posted}, listed {}", text(entry.type_slug.as_deref())));
        }
        if metadata.version.as_deref() != Some("1.0") {
            return Some(format!(
                "{VERSION_PART}: \"1.0\" is to be there, listed {}",
                text(metadata.version.as_deref())
            ));
        }
        let (Some(timestamp), Some(created)) = (entry.timestamp, entry.created) else {
            let listed = [time(entry.timestamp), time(entry.created)].join(" and ");
            return Some(format!("timestamp and created: times are to be there, listed {listed}"));
        };
        if metadata.created != Some(created) {
            return Some(format!("created: listed {created}, and {} as {CREATED_PART}", time(metadata.created)));
        }
        // A server that shows the file's time instead knows no creation time.
        let known = self.created_ms().filter(|_| differ(created, timestamp));
        if let Some(known) = known.filter(|known| differ(*known, created)) {
            return Some(format!("created: restored {known}, listed {created}"));
        }
        if self.created_ms.is_none() && self.is_alone() {
            self.created_ms = entry.created_ms();
        }
        let is_same = newest.is_some() && newest == self.last_modified_of;
        let times = self.last_modified_ms.zip(metadata.last_modified);
        let (restored, listed) = times.filter(|(restored, listed)| is_same && differ(*restored, *listed))?;
        Some(format!("{LAST_MODIFIED_PART}: restored {restored}, listed {listed}"))
    }
}

/// Whether two times differ by more than rounding.
fn differ(one_ms: f64, other_ms: f64) -> bool {
    (one_ms - other_ms).abs() > ROUNDING_MS
}

/// Reports that a part is not what was posted.
fn posted(part: &'static str, posted: &str, rest: &Rest) -> String {
    format!("{part}: posted {posted}, shown {}", shown(part, rest))
}

/// A part as shown.
fn shown(part: &str, rest: &Rest) -> String {
    if let Some((_, other)) = rest.others.iter().find(|(name, _)| *name == part) {
        return other.clone();
    }
    let name = NAME_PARTS.into_iter().position(|name| name == part);
    let mark = name.and_then(|place| rest.names[place].is());
    mark.map_or_else(|| "nothing".to_owned(), quoted)
}

fn quoted(text: impl std::fmt::Display) -> String {
    format!("\"{text}\"")
}
