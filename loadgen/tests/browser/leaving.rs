//! The page is left, or out of sight, before the two seconds are over: what was just written is saved all the same.

use crate::room::{Checklist, Room, until};
use crate::{Outcome, trials};
use anyhow::ensure;
use contract::Operation;
use loadgen::browser::{Gateway, Treatment};
use serde_json::{Value, json};
use std::time::Duration;

trials![
    what_was_just_written_is_saved_though_the_page_is_left,
    what_was_just_written_is_saved_though_the_tab_is_closed,
    a_page_out_of_sight_saves_first_and_looks_afterwards,
    work_too_large_to_outlive_the_page_is_saved_as_usual_and_the_browser_asks,
    a_save_under_way_gives_way_to_that_of_a_page_that_is_left,
];

/// Has looks take longer than any test, and saves longer than it takes to leave a page: a call that does not outlive its
/// page is broken off.
fn hold_looks_and_saves(gateway: &Gateway) {
    gateway.treat(|call, _| match call.operation {
        Operation::Restore => Treatment::Hold(Duration::from_mins(5)),
        Operation::Save => Treatment::Hold(Duration::from_secs(2)),
        _ => Treatment::Pass,
    });
}

/// Waits until the first note is stored.
async fn until_stored(room: &Room, key: &str, note: &str) -> anyhow::Result<Value> {
    until("the note is stored", || async {
        let stored = room.server.document(key).await?;
        Ok((stored["state"]["notes"]["demo-try"] == note).then_some(stored))
    })
    .await
}

/// Writes into the first note and puts the page out of sight in one go, so that no timer comes between. Returns whether
/// the browser would have asked before the page was left, between the two.
async fn write_and_hide(ours: &Checklist, text: &str) -> anyhow::Result<Value> {
    let script = "const note = document.querySelector('#items textarea');
        note.value += arguments[0];
        note.dispatchEvent(new Event('input', { bubbles: true }));
        const leaving = new Event('beforeunload', { cancelable: true });
        window.dispatchEvent(leaving);
        Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
        return leaving.defaultPrevented;";
    Ok(ours.browser.run(script, vec![json!(text)]).await?)
}

fn operations(gateway: &Gateway) -> Vec<Operation> {
    gateway.calls().iter().map(|call| call.operation).collect()
}

/// Regression: the page looked first, and was gone before it came to save.
async fn what_was_just_written_is_saved_though_the_page_is_left() -> Outcome {
    let room = Room::new().await?;
    let ours = room.at_work("").await?;
    let key = ours.key().await?;
    hold_looks_and_saves(&room.gateway);
    ours.write(1, "last words").await?;
    ours.browser.visit("about:blank").await?;
    until_stored(&room, &key, "last words").await.map(drop)
}

async fn what_was_just_written_is_saved_though_the_tab_is_closed() -> Outcome {
    let room = Room::new().await?;
    let ours = room.at_work("").await?;
    let key = ours.key().await?;
    let page = &ours.browser.page;
    // The browser itself stays.
    let other = page.new_window(true).await?.handle;
    hold_looks_and_saves(&room.gateway);
    ours.write(1, "last words").await?;
    page.close_window().await?;
    page.switch_to_window(other).await?;
    until_stored(&room, &key, "last words").await.map(drop)
}

async fn a_page_out_of_sight_saves_first_and_looks_afterwards() -> Outcome {
    let room = Room::new().await?;
    let ours = room.at_work("").await?;
    room.gateway.forget();
    ensure!(write_and_hide(&ours, "seen once").await? == true, "the browser does not ask though nothing is saved");
    ours.until("saved").await?;
    let calls = operations(&room.gateway);
    ensure!(calls == [Operation::Save, Operation::Restore], "{calls:?}");
    until_stored(&room, &ours.key().await?, "seen once").await.map(drop)
}

/// Browsers send 64 KiB at most from a page that is gone: bytes, not characters.
async fn work_too_large_to_outlive_the_page_is_saved_as_usual_and_the_browser_asks() -> Outcome {
    let room = Room::new().await?;
    let ours = room.at_work("").await?;
    let watch = "const box = document.getElementById('status');
        window.seen = [];
        new MutationObserver(() => window.seen.push(box.dataset.status)).observe(box, { attributes: true });";
    ours.browser.run(watch, vec![]).await?;
    room.gateway.forget();
    let large = "€".repeat(30_000);
    ensure!(write_and_hide(&ours, &large).await? == true, "the browser does not ask though nothing is saved");
    until_stored(&room, &ours.key().await?, &large).await?;
    ours.until("saved").await?;
    let (calls, seen) = (operations(&room.gateway), ours.browser.run("return window.seen;", vec![]).await?);
    ensure!(calls == [Operation::Restore, Operation::Save, Operation::Restore], "{calls:?}");
    ensure!(seen.as_array().is_some_and(|seen| !seen.contains(&json!("unsaved"))), "the browser refused it: {seen}");
    Ok(())
}

/// Notes in the page itself what each save has in its first note.
const NOTED: &str = "window.saves = [];
    const call = window.fetch;
    window.fetch = (url, options) => {
        if (String(url).includes('save.php')) window.saves.push(JSON.parse(options.body).state.notes['demo-try']);
        return call(url, options);
    };";

/// It would put earlier work over the latest, or take that for another user's.
async fn a_save_under_way_gives_way_to_that_of_a_page_that_is_left() -> Outcome {
    const LATEST: &str = "early and late";
    let room = Room::new().await?;
    let ours = room.browser().await?;
    ours.browser.give(NOTED).await?;
    ours.browser.visit(&room.gateway.url("/")).await?;
    ours.until("saved").await?;
    room.gateway.forget();
    room.gateway.treat(|call, before| {
        let is_first = call.operation == Operation::Restore && before.is_empty();
        if is_first { Treatment::Hold(Duration::from_secs(3)) } else { Treatment::Pass }
    });
    ours.write(1, "early").await?;
    ours.until("saving").await?;
    write_and_hide(&ours, " and late").await?;
    until("the first look has a response", || async {
        Ok(room.gateway.calls().first().is_some_and(|call| call.status.is_some()).then_some(()))
    })
    .await?;
    let said = until("the page comes to rest", || async {
        let said = ours.said().await?;
        Ok(["saved", "newer"].contains(&said.status.as_str()).then_some(said))
    })
    .await?;
    ensure!(said.status == "saved", "its own work is taken for another user's: {said:?}");
    // The page looks once more: by then it has done whatever the first look had it do.
    room.gateway.forget();
    let show = "Object.defineProperty(document, 'visibilityState', { value: 'visible', configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));";
    until("the page has looked again", || async {
        ours.browser.run(show, vec![]).await?;
        Ok(room.gateway.calls().first().is_some_and(|call| call.status.is_some()).then_some(()))
    })
    .await?;
    let saves: Vec<String> = serde_json::from_value(ours.browser.run("return window.saves;", vec![]).await?)?;
    let left = saves.iter().position(|note| note == LATEST);
    let is_last = left.is_some_and(|left| saves[left..].iter().all(|note| note == LATEST));
    ensure!(is_last, "earlier work went last: {saves:?}");
    until_stored(&room, &ours.key().await?, LATEST).await.map(drop)
}
