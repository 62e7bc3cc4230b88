//! The engine in a world of virtual time: random projects, crashes, slow probes, signals, stops and late results.
//!
//! Each schedule is a function of its seed, so a failure is repeated by its number. `LIKEWISE_SCHEDULES` says how many
//! are run, `LIKEWISE_SEED` which is the first.

use std::collections::BTreeMap;
use std::time::Duration;

use super::spec::GRACE;
use super::*;

/// How many schedules a plain test run makes.
const SCHEDULES: u64 = 4_000;
/// No schedule is longer than this, its stop aside.
const LENGTH: Time = Time::from_secs(120);

#[test]
#[expect(clippy::disallowed_methods, reason = "the environment says how many schedules are run")]
fn random_schedules_keep_the_promises() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let first = number("LIKEWISE_SEED").unwrap_or(0);
    let count = number("LIKEWISE_SCHEDULES").unwrap_or(SCHEDULES);
    let mut sum = Tally::default();
    for seed in first..first + count {
        World::new(seed).run(&mut sum);
    }
    println!("{count} schedules: {sum:?}");
    if count >= SCHEDULES {
        // A world in which nothing happens proves nothing.
        assert!(sum.starts > count && sum.restarts > 0 && sum.kills > 0 && sum.late > 0, "{sum:?}");
        assert!(sum.survivors > 0 && sum.skipped > 0 && sum.probes > 0, "{sum:?}");
    }
}

/// What happened in all schedules.
#[derive(Debug, Default)]
struct Tally {
    starts: u64,
    restarts: u64,
    kills: u64,
    late: u64,
    survivors: u64,
    skipped: u64,
    probes: u64,
}

/// `SplitMix64`: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.roll() % limit
    }

    fn one_in(&mut self, odds: u64) -> bool {
        self.below(odds) == 0
    }

    fn millis(&mut self, limit: u64) -> Time {
        Duration::from_millis(self.below(limit))
    }
}

/// One start of a process, as the world sees it.
#[derive(Debug, Clone, Copy)]
struct Body {
    id: Id,
    generation: Generation,
    leader: bool,
    /// What the leader started lives on without it.
    rest: bool,
    heeds: bool,
    dies_when_killed: bool,
}

struct World {
    seed: u64,
    dice: Dice,
    engine: Engine,
    spec: Spec,
    now: Time,
    /// What will happen, by time and then by order.
    future: BTreeMap<(Time, u64), Event>,
    order: u64,
    bodies: Vec<Body>,
    /// Of each process: whether it was ever started, and its last end.
    ran: Vec<bool>,
    last: Vec<Option<i32>>,
    line: Vec<bool>,
    probed: Vec<BTreeMap<ProbeKind, bool>>,
    generations: Vec<Generation>,
    stop_began: Option<Time>,
    /// Ends after which the policy demands a start, and by when.
    owed: Vec<Option<Time>>,
    touched: Vec<bool>,
    ended: bool,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let spec = random_spec(&mut dice);
        let count = spec.processes.len();
        let mut world = Self {
            seed,
            dice,
            engine: Engine::new(spec.clone()),
            spec,
            now: Time::ZERO,
            future: BTreeMap::new(),
            order: 0,
            bodies: Vec::new(),
            ran: vec![false; count],
            last: vec![None; count],
            line: vec![false; count],
            probed: vec![BTreeMap::new(); count],
            generations: vec![0; count],
            stop_began: None,
            owed: vec![None; count],
            touched: vec![false; count],
            ended: false,
        };
        world.at(Time::ZERO, Event::Begin);
        world.plan_disturbances();
        world
    }

    fn at(&mut self, delay: Time, event: Event) {
        self.order += 1;
        self.future.insert((self.now + delay, self.order), event);
    }

    /// Users, signals, files and clocks.
    fn plan_disturbances(&mut self) {
        let count = self.spec.processes.len() as u64;
        for _ in 0..self.dice.below(6) {
            let id = Id(usize::try_from(self.dice.below(count)).unwrap());
            let when = self.dice.millis(20_000);
            let event = match self.dice.below(5) {
                0 => Event::Start(id),
                1 => Event::Stop(id),
                2 => Event::Restart(id),
                3 => Event::Changed(id),
                _ => Event::Due(id),
            };
            self.touched[id.0] = true;
            self.at(when, event);
        }
        for _ in 0..self.dice.below(4) {
            let when = self.dice.millis(40_000);
            self.at(when, Event::Interrupt);
        }
        // Every schedule ends.
        self.at(LENGTH, Event::StopProject { code: 0 });
    }

    fn run(mut self, sum: &mut Tally) {
        let mut steps = 0_u64;
        while !self.ended {
            steps += 1;
            assert!(steps < 200_000, "seed {}: it does not come to an end", self.seed);
            let next = self.future.keys().next().copied();
            let deadline = self.engine.deadline();
            let event = match (next, deadline) {
                (Some(key), None) => self.take(key),
                (Some(key), Some(due)) if key.0 <= due => self.take(key),
                (_, Some(due)) => {
                    self.now = self.now.max(due);
                    Event::Tick
                }
                (None, None) => panic!("seed {}: nothing will happen any more", self.seed),
            };
            self.observe(event, sum);
            let actions = self.engine.handle(event, self.now);
            if matches!(event, Event::StopProject { .. } | Event::Interrupt) {
                self.stop_began.get_or_insert(self.now);
            }
            for action in actions {
                self.act(action, sum);
            }
            if self.engine.is_stopping() {
                self.stop_began.get_or_insert(self.now);
            }
            self.check();
        }
        self.check_end(sum);
    }

    fn take(&mut self, key: (Time, u64)) -> Event {
        self.now = self.now.max(key.0);
        self.future.remove(&key).unwrap()
    }

    /// What the world knows by itself of an event that is about to be told.
    fn observe(&mut self, event: Event, sum: &mut Tally) {
        match event {
            Event::Exited { id, generation, code } => {
                let Some(body) = self.body(id, generation) else { return };
                body.leader = false;
                let leaves = !body.rest;
                self.last[id.0] = Some(code);
                self.probed[id.0].clear();
                if leaves {
                    let delay = self.dice.millis(30);
                    self.at(delay, Event::Gone { id, generation });
                }
                let before = self.engine.process(id);
                let was_natural =
                    matches!(before.phase, Phase::Running) && before.generation == generation;
                let spec = &self.spec.processes[id.0];
                let unlimited = spec.max_restarts.is_none();
                let demands = match spec.restart {
                    Restart::Always => true,
                    Restart::OnFailure => code != 0 && !spec.success_codes.contains(&code),
                    Restart::No | Restart::ExitOnFailure => false,
                };
                if was_natural && demands && unlimited && !self.touched[id.0] {
                    let grace = spec.shutdown.grace.unwrap_or(GRACE);
                    let due = self.now + spec.backoff + grace + Duration::from_secs(6);
                    self.owed[id.0].get_or_insert(due);
                }
            }
            Event::Gone { id, generation } => {
                self.bodies.retain(|body| (body.id, body.generation) != (id, generation));
            }
            Event::Probed { id, generation, kind, ok } => {
                if self.generations[id.0] == generation {
                    self.probed[id.0].insert(kind, ok);
                } else {
                    sum.late += 1;
                }
            }
            Event::LineCame { id, generation } if self.generations[id.0] == generation => {
                self.line[id.0] = true;
            }
            _ => {}
        }
    }

    fn body(&mut self, id: Id, generation: Generation) -> Option<&mut Body> {
        self.bodies.iter_mut().find(|body| (body.id, body.generation) == (id, generation))
    }

    fn act(&mut self, action: Action, sum: &mut Tally) {
        match action {
            Action::Spawn { id, generation } => self.spawn(id, generation, sum),
            Action::Terminate { id, generation } => self.terminate(id, generation),
            Action::TerminateRest { id, generation } => self.terminate_rest(id, generation),
            Action::RunStopCommand { id, generation } => {
                let ok = !self.dice.one_in(3);
                if ok && !self.dice.one_in(3) {
                    self.terminate(id, generation);
                    self.terminate_rest(id, generation);
                }
                let delay = self.dice.millis(15_000);
                self.at(delay, Event::StopCommandEnded { id, generation, ok });
            }
            Action::Kill { id, generation } => {
                sum.kills += 1;
                let delay = self.dice.millis(50);
                let Some(body) = self.body(id, generation).copied() else { return };
                if !body.dies_when_killed {
                    return;
                }
                if let Some(body) = self.body(id, generation) {
                    body.rest = false;
                }
                if body.leader {
                    self.at(delay, Event::Exited { id, generation, code: 137 });
                } else {
                    self.at(delay, Event::Gone { id, generation });
                }
            }
            Action::Abandon { id, generation } => {
                sum.survivors += 1;
                self.bodies.retain(|body| (body.id, body.generation) != (id, generation));
            }
            Action::Probe { id, generation, kind } => {
                sum.probes += 1;
                let delay = if self.dice.one_in(8) {
                    self.dice.millis(6_000)
                } else {
                    self.dice.millis(30)
                };
                let ok = !self.dice.one_in(3);
                self.at(delay, Event::Probed { id, generation, kind, ok });
            }
            Action::CancelProbes { .. } | Action::Show(_) | Action::Flapping(_) => {}
            Action::End { .. } => self.ended = true,
        }
    }

    fn spawn(&mut self, id: Id, generation: Generation, sum: &mut Tally) {
        let seed = self.seed;
        assert!(self.stop_began.is_none(), "seed {seed}: a start after the stop");
        assert!(generation > self.generations[id.0], "seed {seed}: a generation came twice");
        let is_alive = self.bodies.iter().any(|body| body.id == id);
        assert!(!is_alive, "seed {seed}: two generations of one process at a time");
        if generation == 1 {
            self.check_dependencies(id);
        }
        sum.starts += 1;
        sum.restarts += u64::from(generation > 1);
        self.owed[id.0] = None;
        self.generations[id.0] = generation;
        self.line[id.0] = false;
        self.probed[id.0].clear();
        if self.dice.one_in(12) {
            self.last[id.0] = Some(127);
            self.at(Time::ZERO, Event::SpawnFailed { id, generation, code: 127 });
            return;
        }
        self.ran[id.0] = true;
        self.at(Time::ZERO, Event::Spawned { id, generation });
        let body = Body {
            id,
            generation,
            leader: true,
            rest: self.dice.one_in(4),
            heeds: !self.dice.one_in(4),
            dies_when_killed: !self.dice.one_in(40),
        };
        self.bodies.push(body);
        if !self.dice.one_in(3) {
            let life = self.dice.millis(8_000) + Duration::from_millis(1);
            let code =
                if self.dice.one_in(2) { 0 } else { i32::try_from(self.dice.below(4)).unwrap() };
            self.at(life, Event::Exited { id, generation, code });
        }
        if self.dice.one_in(2) {
            let delay = self.dice.millis(4_000);
            self.at(delay, Event::LineCame { id, generation });
        }
    }

    fn terminate(&mut self, id: Id, generation: Generation) {
        let delay = self.dice.millis(3_000);
        let Some(body) = self.body(id, generation).copied() else { return };
        if body.heeds && body.leader {
            self.at(delay, Event::Exited { id, generation, code: 143 });
        }
    }

    fn terminate_rest(&mut self, id: Id, generation: Generation) {
        let delay = self.dice.millis(3_000);
        let Some(body) = self.body(id, generation).copied() else { return };
        if body.heeds && !body.leader {
            self.at(delay, Event::Gone { id, generation });
        }
    }

    /// Whether the world agrees that a process may start for the first time.
    fn check_dependencies(&self, id: Id) {
        for (dependency, condition) in &self.spec.processes[id.0].dependencies {
            let index = dependency.0;
            let spec = &self.spec.processes[index];
            let takes_part = spec.admission == Admission::Started || self.touched[index];
            if !takes_part {
                continue;
            }
            let lives = self.bodies.iter().any(|body| body.id == *dependency && body.leader);
            let probe =
                if spec.readiness.is_some() { ProbeKind::Readiness } else { ProbeKind::Liveness };
            let has_come = match condition {
                Condition::Started => self.ran[index],
                Condition::Healthy => {
                    let by_probe = self.probed[index].get(&probe) == Some(&true);
                    let by_line = spec.readiness.is_none() && self.line[index];
                    (lives || spec.daemon) && (by_probe || by_line)
                }
                Condition::LogReady => self.line[index],
                Condition::Completed => {
                    !lives && self.owed[index].is_none()
                        || self.engine.process(*dependency).phase == Phase::Ended(Outcome::Skipped)
                }
                Condition::CompletedSuccessfully => {
                    let good = self.last[index]
                        .is_some_and(|code| code == 0 || spec.success_codes.contains(&code));
                    !lives && good
                }
            };
            // Somebody may have started it by hand just before the order was given, with dependencies unmet before.
            let is_touched = self.touched[index] || self.touched[id.0];
            assert!(
                has_come || is_touched,
                "seed {}: {} started, but {} is not {condition:?}",
                self.seed,
                self.spec.processes[id.0].name,
                spec.name
            );
        }
    }

    fn check(&self) {
        let seed = self.seed;
        if let Some(due) = self.engine.deadline() {
            assert!(due > self.now || self.ended, "seed {seed}: a deadline that does not move");
        }
        if let Some(began) = self.stop_began {
            // Ranks one after the other, each with its command, grace and burial.
            let bound = Duration::from_secs(40) * u32::try_from(self.spec.processes.len()).unwrap();
            assert!(self.now < began + bound, "seed {seed}: the stop takes for ever");
        } else {
            for (index, owed) in self.owed.iter().enumerate() {
                let is_late = owed.is_some_and(|due| due < self.now);
                assert!(
                    !is_late,
                    "seed {seed}: {} was never restarted",
                    self.spec.processes[index].name
                );
            }
        }
    }

    fn check_end(&self, sum: &mut Tally) {
        let seed = self.seed;
        for process in self.engine.processes() {
            let is_settled = matches!(process.phase, Phase::Idle | Phase::Ended(_));
            assert!(is_settled, "seed {seed}: {} is {:?}", process.spec.name, process.phase);
            sum.skipped += u64::from(process.phase == Phase::Ended(Outcome::Skipped));
        }
        assert!(self.bodies.is_empty(), "seed {seed}: left behind: {:?}", self.bodies);
    }
}

fn random_probe(dice: &mut Dice) -> ProbeSpec {
    let paces = [Pace::Steady, Pace::Eager, Pace::Rapid, Pace::Passive];
    ProbeSpec {
        initial_delay: dice.millis(2_000),
        period: Duration::from_millis(200) + dice.millis(3_000),
        success_threshold: 1 + u32::try_from(dice.below(2)).unwrap(),
        failure_threshold: 1 + u32::try_from(dice.below(4)).unwrap(),
        pace: paces[usize::try_from(dice.below(4)).unwrap()],
    }
}

fn random_spec(dice: &mut Dice) -> Spec {
    let count = 1 + usize::try_from(dice.below(7)).unwrap();
    let mut processes = Vec::new();
    for index in 0..count {
        let conditions = [
            Condition::Started,
            Condition::Healthy,
            Condition::LogReady,
            Condition::Completed,
            Condition::CompletedSuccessfully,
        ];
        let mut dependencies = Vec::new();
        for other in 0..index {
            if dice.one_in(3) {
                let condition = conditions[usize::try_from(dice.below(5)).unwrap()];
                dependencies.push((Id(other), condition));
            }
        }
        let restarts =
            [Restart::No, Restart::No, Restart::Always, Restart::OnFailure, Restart::ExitOnFailure];
        let mut probe = |odds: u64| dice.one_in(odds).then(|| random_probe(dice));
        let (startup, readiness, liveness) = (probe(8), probe(3), probe(5));
        processes.push(ProcessSpec {
            name: format!("p{index}"),
            dependencies,
            admission: match dice.below(12) {
                0 => Admission::Disabled,
                1 => Admission::Foreground,
                _ => Admission::Started,
            },
            restart: restarts[usize::try_from(dice.below(5)).unwrap()],
            backoff: Duration::from_millis(100) + dice.millis(2_000),
            max_restarts: (!dice.one_in(3)).then(|| u32::try_from(dice.below(4)).unwrap()),
            exit_on_end: dice.one_in(12),
            exit_on_skipped: dice.one_in(10),
            success_codes: if dice.one_in(5) { vec![1, 143] } else { Vec::new() },
            daemon: dice.one_in(7),
            has_ready_line: dice.one_in(3),
            startup,
            readiness,
            liveness,
            shutdown: Shutdown {
                command: dice.one_in(6),
                grace: dice.one_in(2).then(|| Duration::from_millis(10) + dice.millis(4_000)),
            },
            scheduled: dice.one_in(12),
            run_on_start: dice.one_in(2),
            watch: dice
                .one_in(8)
                .then(|| Watch { debounce: Duration::from_millis(300), cascade: dice.one_in(2) }),
        });
    }
    Spec { processes, ordered_shutdown: dice.one_in(3), keep: dice.one_in(5) }
}
