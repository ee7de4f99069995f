//! Makes a schedule that fails smaller, as long as it fails in the same way.

use crate::client::ClientBug;
use crate::faults::Fault;
use crate::plan::Plan;
use crate::server::Build;
use crate::simulation;

/// How many other draws are tried for each smaller plan: what is left out shifts everything that is drawn
/// later.
const DRAWS: u64 = 12;

/// The smallest plan that was found to break the same promise; the plan itself if it breaks none.
pub(crate) fn shrink(plan: Plan, build: Build, client: Option<ClientBug>) -> Plan {
    let Some(rule) = broken(&plan, build, client) else { return plan };
    let mut smallest = plan;
    loop {
        let before = smallest.acts.len() + on(&smallest);
        for candidate in smaller(&smallest) {
            // The plan may have shrunk since the candidates were made of it.
            if candidate.acts.len() + on(&candidate) >= smallest.acts.len() + on(&smallest) {
                continue;
            }
            let draws = std::iter::once(candidate.run_seed).chain(0..DRAWS);
            let failing = draws
                .map(|run_seed| Plan { run_seed, ..candidate.clone() })
                .find(|candidate| broken(candidate, build, client) == Some(rule));
            if let Some(failing) = failing {
                smallest = failing;
            }
        }
        if smallest.acts.len() + on(&smallest) == before {
            return smallest;
        }
    }
}

fn broken(plan: &Plan, build: Build, client: Option<ClientBug>) -> Option<&'static str> {
    simulation::run(plan, build, client, false).violation.map(|violation| violation.rule)
}

fn on(plan: &Plan) -> usize {
    Fault::ALL.iter().filter(|fault| plan.rates.is_on(**fault)).count()
}

/// The plan without one thing or the other, the greatest first.
fn smaller(plan: &Plan) -> Vec<Plan> {
    let mut candidates = Vec::new();
    let half = plan.acts.len() / 2;
    for acts in [&plan.acts[..half], &plan.acts[half..]] {
        candidates.push(Plan { acts: acts.to_vec(), ..plan.clone() });
    }
    for fault in Fault::ALL.iter().filter(|fault| plan.rates.is_on(**fault)) {
        let mut candidate = plan.clone();
        candidate.rates.set(*fault, 0);
        candidates.push(candidate);
    }
    for place in 0..plan.acts.len() {
        let mut candidate = plan.clone();
        candidate.acts.remove(place);
        candidates.push(candidate);
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bugs::BUGS;
    use crate::server::Real;

    #[test]
    fn a_seed_is_all_it_takes() {
        for seed in 0..20 {
            let [once, again] =
                [(); 2].map(|()| simulation::run(&Plan::of(seed), Real::build, None, false).trace);
            assert_eq!(once, again);
        }
    }

    #[test]
    fn what_fails_fails_with_less() {
        let bug = &BUGS[1];
        let seed = (0..100).find(|seed| broken(&Plan::of(*seed), bug.build, None).is_some()).unwrap();
        let (plan, rule) = (Plan::of(seed), broken(&Plan::of(seed), bug.build, None));
        let small = shrink(plan.clone(), bug.build, None);
        assert!(small.acts.len() < plan.acts.len());
        assert_eq!(broken(&small, bug.build, None), rule);
    }
}
