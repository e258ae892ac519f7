//! Minimum-cost assignment with forbidden pairs.
//!
//! Shortest augmenting paths (Jonker and Volgenant 1987, in the dense form without their initial
//! reductions): O(n² m), exact.

/// Cost of a pair that must not be joined.
pub const FORBIDDEN: f32 = f32::INFINITY;

/// For each row the column it is joined with, or `None`.
///
/// `cost` is row-major, `rows` x `columns`. Leaving a row and a column unjoined costs `leave` altogether,
/// so no pair dearer than that is ever joined.
#[must_use]
pub fn assign(cost: &[f32], rows: usize, columns: usize, leave: f32) -> Vec<Option<usize>> {
    debug_assert_eq!(cost.len(), rows * columns);
    if rows == 0 || columns == 0 {
        return vec![None; rows];
    }
    // One private extra column a row stands for "left alone": then every row can be joined.
    let width = columns + rows;
    let price = |row: usize, column: usize| {
        if column < columns {
            let value = cost[row * columns + column];
            if value <= leave { f64::from(value) } else { f64::INFINITY }
        } else if column - columns == row {
            f64::from(leave)
        } else {
            f64::INFINITY
        }
    };
    let mut row_potential = vec![0.0_f64; rows];
    let mut column_potential = vec![0.0_f64; width];
    let mut owner = vec![usize::MAX; width];
    let mut shortest = vec![f64::INFINITY; width];
    let mut previous = vec![usize::MAX; width];
    let mut done = vec![false; width];
    for start in 0..rows {
        shortest.fill(f64::INFINITY);
        previous.fill(usize::MAX);
        done.fill(false);
        let (mut row, mut reached) = (start, 0.0);
        let mut via = usize::MAX;
        let end = loop {
            let mut best = (f64::INFINITY, usize::MAX);
            for column in 0..width {
                if done[column] {
                    continue;
                }
                let through = reached + price(row, column) - row_potential[row] - column_potential[column];
                if through < shortest[column] {
                    shortest[column] = through;
                    previous[column] = via;
                }
                if shortest[column] < best.0 {
                    best = (shortest[column], column);
                }
            }
            let column = best.1;
            if column == usize::MAX {
                // Cannot happen: the private column is always open. Leave the row alone all the same.
                break usize::MAX;
            }
            done[column] = true;
            reached = best.0;
            if owner[column] == usize::MAX {
                break column;
            }
            via = column;
            row = owner[column];
        };
        if end == usize::MAX {
            continue;
        }
        row_potential[start] += reached;
        for column in 0..width {
            if done[column] && column != end {
                let slack = reached - shortest[column];
                column_potential[column] -= slack;
                row_potential[owner[column]] += slack;
            }
        }
        let mut column = end;
        while previous[column] != usize::MAX {
            owner[column] = owner[previous[column]];
            column = previous[column];
        }
        owner[column] = start;
    }
    let mut joined = vec![None; rows];
    for (column, &row) in owner.iter().enumerate().take(columns) {
        if row != usize::MAX {
            joined[row] = Some(column);
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn total(cost: &[f32], columns: usize, joined: &[Option<usize>], leave: f32) -> f32 {
        joined.iter().enumerate().map(|(row, column)| column.map_or(leave, |c| cost[row * columns + c])).sum()
    }

    fn brute(cost: &[f32], rows: usize, columns: usize, leave: f32, row: usize, taken: u32) -> f32 {
        if row == rows {
            return 0.0;
        }
        let mut best = leave + brute(cost, rows, columns, leave, row + 1, taken);
        for column in 0..columns {
            let value = cost[row * columns + column];
            if taken & (1 << column) == 0 && value <= leave {
                best = best.min(value + brute(cost, rows, columns, leave, row + 1, taken | (1 << column)));
            }
        }
        best
    }

    #[test]
    fn the_greedy_choice_is_not_taken_when_it_costs_the_other_row_more() {
        assert_eq!(assign(&[1.0, 2.0, 1.5, 9.0], 2, 2, 100.0), [Some(1), Some(0)]);
        assert_eq!(assign(&[], 0, 3, 1.0), []);
        assert_eq!(assign(&[], 2, 0, 1.0), [None, None]);
        assert_eq!(assign(&[FORBIDDEN], 1, 1, 1.0), [None]);
    }

    proptest! {
        #[test]
        fn it_is_as_cheap_as_trying_everything(
            rows in 1_usize..5,
            columns in 1_usize..5,
            values in proptest::collection::vec(prop_oneof![4 => 0.0_f32..10.0, 1 => Just(FORBIDDEN)], 16),
        ) {
            let cost = &values[..rows * columns];
            let joined = assign(cost, rows, columns, 6.0);
            let mut seen = std::collections::BTreeSet::new();
            for column in joined.iter().flatten() {
                prop_assert!(seen.insert(*column), "column {column} joined twice");
            }
            let (ours, best) = (total(cost, columns, &joined, 6.0), brute(cost, rows, columns, 6.0, 0, 0));
            prop_assert!((ours - best).abs() < 1e-3, "{ours} instead of {best}");
        }
    }
}
