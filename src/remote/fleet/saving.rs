//! Changes of a fleet's source that somebody makes on a dashboard of all nodes, also while it goes from one node to another.

use std::time::Instant;

use super::{merge::Route, whole::WholeFleet};
use crate::{
    config::edit::EntryChange,
    engine::commands::SetLines,
    fleet::SaveError,
    model::Drawn,
    protocol::{
        ask::Answer,
        order::{ConfigEntry, lines_of},
    },
    remote::carrier::{ClientError, Response},
};

/// Why lines are not saved: the fleet has ignored regions that would be lost.
const WITHOUT_REGIONS: &str =
    "'ignore' is missing; give the ignored regions of the source as well, or an empty list";

impl WholeFleet {
    /// The node that holds source `id`, once one does, until `end`.
    pub(super) fn route_to_change(&self, id: &str, end: Instant) -> Result<Route, ClientError> {
        loop {
            let route = self.route(id);
            // Asked afterwards: it may just have been found to be without a node.
            let is_moving = || {
                let route = self.merge.lock().route(id);
                route.is_some_and(|route| route.is_leased && !route.is_there)
            };
            if route.is_ok() || !is_moving() || Instant::now() > end {
                return route;
            }
            self.round()?;
        }
    }

    /// Saves what is drawn on the frame of a source in the fleet.
    pub(super) fn save_lines(
        &self,
        route: Route,
        shapes: &ConfigEntry,
        before: Option<&ConfigEntry>,
        end: Instant,
    ) -> Result<Response, ClientError> {
        let drawn = |shapes: &ConfigEntry| -> Result<Drawn, ClientError> {
            let SetLines { lines, zones, ignore } = lines_of(shapes.clone()).map_err(ClientError::Refused)?;
            let ignore = ignore.ok_or_else(|| ClientError::Refused(WITHOUT_REGIONS.into()))?;
            Ok(Drawn { lines, zones, ignore })
        };
        let change = EntryChange::Lines { drawn: drawn(shapes)?, before: before.map(drawn).transpose()? };
        let _drawing = self.drawing.lock();
        self.save(route, &change, end)
    }

    /// Changes a source in the fleet, for every node; until `end` also where it goes from one node to another meanwhile.
    pub(super) fn save(
        &self,
        mut route: Route,
        change: &EntryChange,
        end: Instant,
    ) -> Result<Response, ClientError> {
        let id = route.id.clone();
        loop {
            match self.asker.save(&route.node, &id, change) {
                Ok(said) => return Response::json(&Answer::Said(said)),
                // It changes nothing before it answers.
                Err(SaveError::NoAnswer(_)) if Instant::now() < end => drop(self.round()?),
                Err(why) => {
                    // The source may have gone to another node since the last round.
                    self.round()?;
                    let now = self.merge.lock().route(&id);
                    let has_moved =
                        now.is_some_and(|now| now.is_leased && now.is_there && now.node != route.node);
                    if !has_moved || Instant::now() > end {
                        return Err(ClientError::Refused(why.to_string()));
                    }
                }
            }
            route = self.route_to_change(&id, end)?;
        }
    }
}
