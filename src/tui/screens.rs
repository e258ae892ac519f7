//! The screens, each in a folder of its own: `state` (what it knows), `update` (what keys do to it, what it needs), `draw`. A new
//! one is a folder, a name in `screen_id` and a line here.

use super::{screen::Screen, screen_id::ScreenId};

pub mod alerts;
pub mod crossings;
pub mod help;
pub mod history;
pub mod lines;
pub mod logs;
pub mod nodes;
pub mod overview;
pub mod source;
pub mod wall;
pub mod workers;

macro_rules! screens {
    ($($id:ident $field:ident)*) => {
        /// The state of every screen, and which of them are open.
        #[derive(Default)]
        pub struct Screens {
            $(
                #[doc = concat!("Of the screen `", stringify!($field), "`.")]
                pub $field: $field::state::State,
            )*
            /// Open over the overview, the one on top last.
            open: Vec<ScreenId>,
        }

        impl Screens {
            fn get(&self, id: ScreenId) -> &dyn Screen {
                match id {
                    $(ScreenId::$id => &self.$field,)*
                }
            }

            fn get_mut(&mut self, id: ScreenId) -> &mut dyn Screen {
                match id {
                    $(ScreenId::$id => &mut self.$field,)*
                }
            }
        }
    };
}

screens! {
    Overview overview
    Source source
    Lines lines
    History history
    Crossings crossings
    Logs logs
    Workers workers
    Nodes nodes
    Alerts alerts
    Wall wall
    Help help
}

impl Screens {
    /// The screen on top.
    #[must_use]
    pub fn id(&self) -> ScreenId {
        self.open.last().copied().unwrap_or(ScreenId::Overview)
    }

    /// The screen on top.
    #[must_use]
    pub fn top(&self) -> &dyn Screen {
        self.get(self.id())
    }

    /// The screen on top.
    pub fn top_mut(&mut self) -> &mut dyn Screen {
        self.get_mut(self.id())
    }

    /// Brings a screen to the top.
    pub fn open(&mut self, id: ScreenId) {
        if self.id() != id {
            self.open.retain(|other| *other != id);
            self.open.push(id);
        }
    }

    /// Closes the screen on top; `false` for the overview.
    pub fn close(&mut self) -> bool {
        self.top_mut().close();
        self.open.pop().is_some()
    }
}
