//! `ctl`: an engine that runs already, asked from a script.

mod events;
mod logs;
mod shared;
mod webhooks;

use std::{
    collections::BTreeSet,
    io::{self, Read as _},
};

use jiff::tz::TimeZone;

use self::shared::{PATIENCE, json};
use super::{
    attach,
    failure::{DONE, Failure},
    say::{complain, print},
};
use crate::{
    cli::{AreaWord, CtlArgs, CtlCommand, Sources, WebhookWord},
    config::{
        self, SourceConfig,
        edit::{KeepLogin, entry_of},
    },
    headless,
    model::{Action, Drift, EngineSnapshot, SourceId},
    outputs::status::Status,
    protocol::{
        Done, Reloaded,
        ask::{Answer, Question},
        escaped,
        order::{ConfigEntry, Order},
    },
    remote::{
        Client,
        paths::{from_here, written_from_here},
    },
};

/// `ctl`. Exit code 1 with the reason where something is refused.
pub fn run(args: &CtlArgs) -> Result<u8, Failure> {
    let (config, client) = attach::client(&args.engine, false)?;
    client.version(PATIENCE)?;
    let ctl = Ctl { client, is_json: args.json, timezone: config.parallel.timezone };
    match &args.command {
        CtlCommand::Status => ctl.status(),
        CtlCommand::Events { source, after } => {
            ctl.known(source.as_deref())?;
            let form = events::Form { timezone: ctl.timezone.clone(), is_json: args.json };
            events::follow(&ctl.client, source.as_deref(), after.as_deref(), &form)
        }
        CtlCommand::Pause(sources) => {
            if sources.all {
                ctl.order(&Order::PauseAll {})
            } else {
                ctl.each(sources, |source| Order::Pause { source })
            }
        }
        CtlCommand::Resume(sources) => {
            if sources.all {
                ctl.order(&Order::ResumeAll {})
            } else {
                ctl.each(sources, |source| Order::Resume { source })
            }
        }
        CtlCommand::Restart(sources) => ctl.each(sources, |source| Order::Restart { source }),
        CtlCommand::Reset(sources) => ctl.each(sources, |source| Order::Reset { source }),
        CtlCommand::Add { source, id, alias, entry, save } => {
            let (entry, written) =
                ctl.entry(source.as_deref(), id.as_deref(), alias.as_deref(), entry.as_deref())?;
            ctl.add(entry, written, *save)
        }
        CtlCommand::Remove { sources, save } => {
            let ids: Vec<SourceId> = sources.iter().map(|id| id.as_str().into()).collect();
            let code = ctl.every(ids.clone(), |source| Order::Remove { source })?;
            let saved = if *save { ctl.ask(&Question::RemoveSources { ids })? } else { DONE };
            Ok(code.max(saved))
        }
        CtlCommand::Workers { count: Some(count) } => ctl.order(&Order::Workers { count: *count }),
        CtlCommand::Workers { count: None } => ctl.workers(),
        CtlCommand::Area { name: Some(area), what: Some(AreaWord::Set), inside: Some(inside) } => {
            ctl.order(&Order::Area { area: area.clone(), inside: *inside })
        }
        CtlCommand::Area { .. } => ctl.areas(),
        CtlCommand::Webhooks { what: None, .. } => webhooks::list(&ctl.client, args.json, &ctl.timezone),
        CtlCommand::Webhooks { what: Some(WebhookWord::Test), name } => {
            webhooks::test(&ctl.client, args.json, name.as_deref())
        }
        CtlCommand::Reload { dry_run } => ctl.reload(*dry_run),
        CtlCommand::Snapshot => {
            let snapshot: serde_json::Value = ctl.client.get("/snapshot", PATIENCE)?;
            json(&snapshot)
        }
        CtlCommand::Logs { source, follow, level, words } => {
            ctl.known(source.as_deref())?;
            let wanted = logs::Wanted { source: source.as_deref(), level: *level, words, follow: *follow };
            logs::show(&ctl.client, &wanted, args.json)
        }
        CtlCommand::Actions { since } => ctl.actions(since),
        CtlCommand::Stop => {
            let done: Done = ctl.client.post("/stop", None::<&()>, PATIENCE)?;
            ctl.said(&done)
        }
    }
}

/// The engine, and how its answers are printed.
struct Ctl {
    client: Client,
    is_json: bool,
    /// Of the times that are printed.
    timezone: TimeZone,
}

impl Ctl {
    fn said(&self, done: &Done) -> Result<u8, Failure> {
        if self.is_json { json(done) } else { print(|out| writeln!(out, "{}", done.said)) }
    }

    /// Refuses a source that there is not, which nothing would ever be said of.
    fn known(&self, source: Option<&str>) -> Result<(), Failure> {
        let Some(source) = source else { return Ok(()) };
        let path = format!("/sources/{}", escaped(source));
        self.client.get::<serde::de::IgnoredAny>(&path, PATIENCE)?;
        Ok(())
    }

    fn snapshot(&self) -> Result<EngineSnapshot, Failure> {
        Ok(self.client.snapshot(0, PATIENCE)?)
    }

    fn status(&self) -> Result<u8, Failure> {
        let status = Status::from(&self.snapshot()?);
        if self.is_json {
            return json(&status);
        }
        print(|out| out.write_all(headless::text::dashboard(&status).as_bytes()))
    }

    fn workers(&self) -> Result<u8, Failure> {
        let snapshot = self.snapshot()?;
        let (count, max) = (snapshot.worker_count, snapshot.max_workers);
        if self.is_json {
            return json(&serde_json::json!({ "worker_count": count, "max_workers": max }));
        }
        print(|out| writeln!(out, "{count} of at most {max}"))
    }

    fn areas(&self) -> Result<u8, Failure> {
        let areas = self.snapshot()?.areas;
        if self.is_json {
            return json(&areas);
        }
        print(|out| {
            if areas.is_empty() {
                writeln!(out, "there are no areas; name some under 'areas' in the configuration file")?;
            }
            for area in areas.iter() {
                let since = events::time(area.corrected.unwrap_or(area.known), &self.timezone);
                let drift = Drift::words(area.drift.as_ref());
                writeln!(
                    out,
                    "{}: {}, in {}, out {} since {since}, drift {drift}",
                    area.name,
                    area.of_capacity(),
                    area.total_in,
                    area.total_out
                )?;
            }
            Ok(())
        })
    }

    fn order(&self, order: &Order) -> Result<u8, Failure> {
        let done: Done = self.client.post("/control", Some(order), PATIENCE)?;
        self.said(&done)
    }

    /// Does the same for each of these sources, or all that there are.
    fn each(&self, sources: &Sources, order: impl Fn(SourceId) -> Order) -> Result<u8, Failure> {
        let ids = if sources.all {
            self.snapshot()?.sources.iter().map(|source| source.id.clone()).collect()
        } else {
            sources.sources.iter().map(|id| id.as_str().into()).collect()
        };
        self.every(ids, order)
    }

    /// Does the same for each; one that is refused holds up no other.
    fn every(&self, ids: Vec<SourceId>, order: impl Fn(SourceId) -> Order) -> Result<u8, Failure> {
        let mut refused = None;
        for id in ids {
            match self.client.post::<Done>("/control", Some(&order(id.clone())), PATIENCE) {
                Ok(done) => {
                    let said = Done { said: format!("{id}: {}", done.said) };
                    self.said(&said)?;
                }
                Err(error) => refused = refused.or(Some(error)).inspect(|error| complain(&error.to_string())),
            }
        }
        match refused {
            None => Ok(DONE),
            Some(_) => Ok(super::failure::FAILED),
        }
    }

    /// The source to add, as an entry of the configuration file, and as the user wrote it.
    fn entry(
        &self,
        source: Option<&str>,
        id: Option<&str>,
        alias: Option<&str>,
        entry: Option<&str>,
    ) -> Result<(ConfigEntry, String), Failure> {
        let Some(source) = source else {
            let text = match entry {
                Some("-") => {
                    let mut text = String::new();
                    io::stdin().lock().read_to_string(&mut text)?;
                    text
                }
                entry => entry.unwrap_or_default().to_owned(),
            };
            let entry = serde_json::from_str::<ConfigEntry>(&text)
                .map_err(|error| Failure::Usage(format!("--entry is no JSON object: {error}")))?;
            let written = entry.get("source").or(entry.get("path")).and_then(|text| text.as_str());
            let written = written.unwrap_or_default().to_owned();
            return Ok((entry, written));
        };
        let taken: BTreeSet<String> =
            self.snapshot()?.sources.iter().map(|source| source.id.to_string()).collect();
        let mut config = SourceConfig::from_source_string(source, &taken).map_err(Failure::Usage)?;
        config.source.teach(config::known());
        if let Some(id) = id {
            config.id = id.into();
            config.alias = id.into();
        }
        if let Some(alias) = alias {
            config.alias = alias.into();
        }
        let written = written_from_here(&config, source);
        Ok((entry_of(&from_here(&config)), written))
    }

    fn add(&self, entry: ConfigEntry, written: String, save: bool) -> Result<u8, Failure> {
        let code = self.order(&Order::Add { entry: entry.clone() })?;
        if save {
            self.ask(&Question::SaveSource { entry, written, keep: KeepLogin::Beside })
        } else {
            Ok(code)
        }
    }

    fn ask(&self, question: &Question) -> Result<u8, Failure> {
        match self.client.post("/ask", Some(question), PATIENCE)? {
            Answer::Said(said) => self.said(&Done { said }),
            answer => json(&answer),
        }
    }

    fn reload(&self, dry_run: bool) -> Result<u8, Failure> {
        let path = format!("/reload?dry_run={dry_run}");
        let reloaded: Reloaded = self.client.post(&path, None::<&()>, PATIENCE * 3)?;
        if self.is_json {
            return json(&reloaded);
        }
        print(|out| {
            for change in &reloaded.changes {
                writeln!(out, "{change}")?;
            }
            match &reloaded.said {
                Some(said) => writeln!(out, "{said}"),
                None if reloaded.changes.is_empty() => writeln!(out, "nothing would change"),
                None => Ok(()),
            }
        })
    }

    fn actions(&self, since: &str) -> Result<u8, Failure> {
        let path = format!("/actions?since={}", escaped(since));
        let actions: Vec<Action> = self.client.get(&path, PATIENCE)?;
        print(|out| {
            for action in &actions {
                if self.is_json {
                    serde_json::to_writer(&mut *out, action)?;
                    writeln!(out)?;
                } else {
                    writeln!(out, "{} {}", events::time(action.wall, &self.timezone), action.sentence())?;
                }
            }
            Ok(())
        })
    }
}
