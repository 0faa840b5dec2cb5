//! Random pushes to few and to very many, against a list of what each device must be told.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    /// To all devices of the large account, or of the small one; by one of them, or by the app's back end.
    Account(bool, Option<prop::sample::Index>),
    /// To both, and to very many who are not here.
    Both,
    Join(bool),
    Leave(prop::sample::Index),
    CatchUp(prop::sample::Index),
    /// A device looks how far it has been told.
    Look(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    let which = any::<prop::sample::Index>;
    prop_oneof![
        4 => (any::<bool>(), prop::option::of(which())).prop_map(|(large, by)| Step::Account(large, by)),
        2 => Just(Step::Both),
        1 => any::<bool>().prop_map(Step::Join),
        1 => which().prop_map(Step::Leave),
        2 => which().prop_map(Step::CatchUp),
        4 => which().prop_map(Step::Look),
    ]
}

/// What a device must have been told, and has.
#[derive(Debug)]
struct Model {
    registration: Registration,
    due: Vec<u64>,
    told: Vec<u64>,
}

impl Model {
    fn is_of(&self, account: AccountKey) -> bool {
        self.registration.account() == account
    }

    fn hear(&mut self) {
        self.told.extend(taken(&self.registration));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// However the thread for very many gets on, each device is told all that was committed since it came, once and in
    /// that order, its own operations' answers among it; and none is said to have what it was not told.
    #[test]
    fn each_device_is_told_everything_in_order(steps in prop::collection::vec(step(), 1..150)) {
        let bounds = Bounds { frames: 1_000, bytes: 1_000_000 };
        let hub = Arc::new(Hub::new(bounds).unwrap());
        // Keeps the thread busy: it waits for the system a little with each of them.
        let network = Arc::new(Watched::slow(Duration::from_micros(5)));
        let _slow = all_at_rest(&hub, ALICE, 30, &network);
        let mut next_device = 1_000;
        let mut enter = |account| {
            next_device += 1;
            let registration = join(&hub, account, &next_device.to_string());
            Model { registration, due: Vec::new(), told: Vec::new() }
        };
        let mut models: Vec<_> = (0..80).map(|at| enter(if at < 70 { ALICE } else { BOB })).collect();
        let both: Vec<_> = [BOB, ALICE].into_iter().chain((1_000..1_600).map(AccountKey)).collect();
        let mut newest: HashMap<AccountKey, u64> = HashMap::new();
        for (version, step) in (1..).zip(steps) {
            match step {
                Step::Account(is_large, by) => {
                    let account = if is_large { ALICE } else { BOB };
                    let own = by.map(|by| by.get(&models).registration.id());
                    let own = own.filter(|own| models.iter().any(|one| one.registration.id() == *own && one.is_of(account)));
                    // The answer to what it did before has come.
                    models.iter_mut().filter(|one| own == Some(one.registration.id())).for_each(Model::hear);
                    commit(&hub, account, version, own);
                    newest.insert(account, version);
                    for model in models.iter_mut().filter(|one| one.is_of(account)) {
                        let is_own = own == Some(model.registration.id());
                        model.due.push(if is_own { 0 } else { version });
                    }
                }
                Step::Both => {
                    tell(&hub, &both, version, version * 10);
                    newest.extend([(ALICE, version), (BOB, version)]);
                    for model in &mut models {
                        model.due.push(version);
                    }
                }
                Step::Join(is_large) => models.push(enter(if is_large { ALICE } else { BOB })),
                Step::Leave(which) if models.len() > 1 => drop(models.swap_remove(which.index(models.len()))),
                Step::Leave(_) => {}
                Step::CatchUp(which) => {
                    let at = which.index(models.len());
                    models[at].registration.catch_up();
                    models[at].hear();
                    prop_assert_eq!(&models[at].told, &models[at].due);
                }
                Step::Look(which) => {
                    let at = which.index(models.len());
                    let reached = models[at].registration.reached();
                    models[at].hear();
                    let Model { due, told, .. } = &models[at];
                    prop_assert!(due.starts_with(told), "{:?} of {:?}", told, due);
                    let is_told = |version: &u64| *version * 10 <= reached.position.0 || *version <= reached.version.0;
                    let lacks = due[told.len()..].iter().filter(|version| **version > 0).find(|version| is_told(version));
                    prop_assert_eq!(lacks, None, "{:?}", reached);
                }
            }
        }
        for model in &mut models {
            let account = model.registration.account();
            let newest = Version(newest.get(&account).copied().unwrap_or(0));
            until(|| model.registration.reached().version == newest);
            model.hear();
            prop_assert_eq!(&model.told, &model.due);
        }
    }
}
