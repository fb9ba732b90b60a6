use std::time::Instant;

use super::{State, allocations, backend};
use crate::__private::v1;
use crate::{
    Backend, Context, Device, ErrorKind, Graph, LoadOptions, PerformanceMode, Priority, ProfileLevel, Tensor,
    TensorMut,
};

const BINARY: &[u8] = b"any";

fn npu() -> (Backend, std::sync::Arc<State>) {
    backend(false).unwrap()
}

fn load(backend: &Backend, options: &LoadOptions) -> Graph {
    let device = match backend.is_emulator() {
        true => Device::for_soc(backend, 57),
        false => Device::native(backend),
    };
    Context::load(&device.unwrap(), BINARY, "the fake binary", options).unwrap().graph("double").unwrap()
}

#[test]
fn every_way_to_execute_gives_the_same() {
    let (backend, _) = npu();
    let graph = load(&backend, &LoadOptions::new());
    let (a, b) = ([1f32, 2.0, 3.0, 4.0], [5f32, 6.0, 7.0, 8.0]);
    let (twice_a, twice_b) = (a.map(|v| 2.0 * v), b.map(|v| 2.0 * v));
    let (mut x, mut y) = ([0f32; 4], [0f32; 4]);

    graph
        .run(&[Tensor::of(&a), Tensor::of(&b)], &mut [TensorMut::of(&mut x), TensorMut::of(&mut y)])
        .unwrap();
    assert_eq!((x, y), (twice_a, twice_b));

    (x, y) = Default::default();
    let inputs = [("b", Tensor::of(&b)), ("a", Tensor::of(&a))];
    graph.execute(&inputs, &mut [("y", TensorMut::of(&mut y)), ("x", TensorMut::of(&mut x))]).unwrap();
    assert_eq!((x, y), (twice_a, twice_b), "names in another order");

    let mut prepared = graph.prepare().unwrap();
    assert_eq!(prepared.input::<f32>(0).unwrap(), [0.0; 4]);
    let index = prepared.input_index("b").unwrap();
    prepared.input::<f32>(index).unwrap().copy_from_slice(&b);
    for factor in [1.0, 3.0] {
        prepared.input::<f32>(0).unwrap().copy_from_slice(&a.map(|v| factor * v));
        prepared.run().unwrap();
        assert_eq!(prepared.output::<f32>(0).unwrap(), twice_a.map(|v| factor * v));
        assert_eq!(prepared.output::<f32>(1).unwrap(), twice_b, "what was written stays");
    }
    assert_eq!(prepared.input::<u8>(0).unwrap_err().kind(), ErrorKind::TensorType);
    assert_eq!(prepared.output::<f32>(2).unwrap_err().kind(), ErrorKind::UnknownTensor);
    assert_eq!(prepared.output_index("a").unwrap_err().kind(), ErrorKind::UnknownTensor);
    let one = graph.run(&[Tensor::of(&a)], &mut [TensorMut::of(&mut x), TensorMut::of(&mut y)]);
    assert_eq!(one.unwrap_err().kind(), ErrorKind::TensorCount);
}

/// An artifact whose generated code has the inputs in another order than the binary.
fn bound(backend: &Backend) -> crate::Result<v1::Bound> {
    let artifacts = vec![v1::artifact("m", ("SM8650", 57, 75), "fake", v1::embedded(BINARY), &[])].leak();
    let model = v1::load(backend, artifacts, &LoadOptions::new())?;
    let row = |name| (name, "float32", &[2u64, 2][..]);
    v1::bind(&model, "double", &[row("b"), row("a")], &[row("x"), row("y")])
}

#[test]
fn generated_code_binds_once_by_name_and_then_by_place() {
    let (backend, _) = npu();
    let bound = bound(&backend).unwrap();
    let (a, b) = ([1f32; 4], [5f32; 4]);
    let (mut x, mut y) = ([0f32; 4], [0f32; 4]);
    v1::run(&bound, [Tensor::of(&b), Tensor::of(&a)], [TensorMut::of(&mut x), TensorMut::of(&mut y)])
        .unwrap();
    assert_eq!((x, y), ([2.0; 4], [10.0; 4]));

    let mut prepared = v1::prepare(&bound).unwrap();
    let [b, a] = v1::inputs(&mut prepared);
    *v1::elements_mut::<f32, [f32; 4]>(b) = [7.0; 4];
    v1::elements_mut::<f32, [f32]>(a).fill(3.0);
    v1::run_prepared(&mut prepared).unwrap();
    let [x, y] = v1::outputs(&prepared);
    assert_eq!((v1::elements::<f32, [f32; 4]>(x), v1::elements::<f32, [f32; 4]>(y)), (&[6.0; 4], &[14.0; 4]));
}

#[test]
fn code_that_was_generated_for_another_binary_is_told_when_it_is_loaded() {
    let (backend, _) = npu();
    let artifacts = vec![v1::artifact("m", ("SM8650", 57, 75), "fake", v1::embedded(BINARY), &[])].leak();
    let model = v1::load(&backend, artifacts, &LoadOptions::new()).unwrap();
    let outputs: &[v1::TensorRow] = &[("x", "float32", &[2, 2]), ("y", "float32", &[2, 2])];
    for (inputs, part) in [
        (&[("a", "float32", &[2u64, 2][..])][..], "has 2 inputs, not 1"),
        (&[("a", "float32", &[2, 2]), ("c", "float32", &[2, 2])], "no input `c`"),
        (&[("a", "float32", &[2, 2]), ("b", "float32", &[4])], "`b` is float32 [2, 2], not float32 [4]"),
        (&[("a", "uint8", &[2, 2]), ("b", "float32", &[2, 2])], "not uint8"),
    ] {
        let error = v1::bind(&model, "double", inputs, outputs).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OtherShape, "{error}");
        assert!(error.to_string().contains(part), "no {part:?} in {error}");
    }
}

#[test]
fn executions_allocate_nothing() {
    let (backend, _) = npu();
    let graph = load(&backend, &LoadOptions::new());
    let bound = bound(&backend).unwrap();
    let (a, mut x, mut y) = ([1f32; 4], [0f32; 4], [0f32; 4]);
    let mut prepared = graph.prepare().unwrap();
    let mut each = |which: usize| match which {
        0 => prepared.run(),
        1 => graph.run(&[Tensor::of(&a); 2], &mut [TensorMut::of(&mut x), TensorMut::of(&mut y)]),
        2 => graph.execute(
            &[("a", Tensor::of(&a)), ("b", Tensor::of(&a))],
            &mut [("x", TensorMut::of(&mut x)), ("y", TensorMut::of(&mut y))],
        ),
        _ => v1::run(&bound, [Tensor::of(&a); 2], [TensorMut::of(&mut x), TensorMut::of(&mut y)]),
    };
    for which in 0..4 {
        each(which).unwrap();
        let (count, result) = allocations::of(|| each(which));
        result.unwrap();
        assert_eq!(count, 0, "way {which}");
    }
    assert_eq!(allocations::of(|| vec![1u8; 7]).0, 1, "allocations are counted");
}

#[test]
fn everything_is_freed_once_and_after_what_needs_it() {
    let (backend, state) = npu();
    let options = LoadOptions::new().profile(ProfileLevel::Basic).performance(PerformanceMode::Burst);
    let graph = load(&backend, &options);
    let prepared = graph.prepare().unwrap();
    drop(backend);
    drop(graph);
    assert_eq!(state.alive().get("context"), Some(&1), "what is prepared keeps its context");
    drop(prepared);
    assert_eq!(state.alive(), Default::default());
    let events = state.events();
    let freed: Vec<&str> = events.iter().filter_map(|event| event.strip_prefix('-')).collect();
    assert_eq!(freed, ["profile", "context", "vote", "device", "backend", "log"], "{events:?}");
}

#[test]
fn what_fails_to_load_leaves_nothing_behind() {
    let (backend, state) = npu();
    let device = Device::native(&backend).unwrap();
    let (refused, code) = super::backend::REFUSED;
    let options = LoadOptions::new().performance(PerformanceMode::Burst).profile(ProfileLevel::Detailed);
    let error = Context::load(&device, refused, "it", &options).unwrap_err();
    assert_eq!(u64::from(error.vendor().unwrap().code.code), code);
    let error = Context::load(&device, super::system::HUGE, "it", &options).unwrap_err();
    assert!(error.kind() == ErrorKind::Invalid && error.message().contains("4 GiB"), "{error}");
    drop((backend, device));
    assert_eq!(state.alive(), Default::default());
    assert!(!state.events().iter().any(|event| event == "+context"));
}

#[test]
fn options_reach_the_library() {
    let (backend, state) = npu();
    let options = LoadOptions::new()
        .priority(Priority::High)
        .performance(PerformanceMode::HighPerformance)
        .profile(ProfileLevel::Basic);
    let graph = load(&backend, &options);
    let context = graph.context();
    assert!(context.performance().unwrap().is_applied() && context.load_profile().is_some());
    let events = state.events();
    for event in ["+vote", "priority 200", "profiled"] {
        assert!(events.iter().any(|noted| noted == event), "no {event} in {events:?}");
    }
    let plain = load(&backend, &LoadOptions::new());
    assert!(plain.context().performance().is_none() && plain.context().load_profile().is_none());
    assert_eq!(state.events().iter().filter(|event| event.starts_with("priority")).count(), 1);
}

#[test]
fn shared_memory_is_registered_used_and_freed_on_a_device_and_ordinary_in_the_emulator() {
    for emulator in [false, true] {
        let (backend, state) = backend(emulator).unwrap();
        let graph = load(&backend, &LoadOptions::new().shared_memory(true));
        let mut prepared = graph.prepare().unwrap();
        assert_eq!(prepared.is_shared(), !emulator);
        prepared.input::<f32>(1).unwrap().fill(4.0);
        prepared.run().unwrap();
        assert_eq!(prepared.output::<f32>(1).unwrap(), [8.0; 4]);
        let registered = if emulator { None } else { Some(&4) };
        assert_eq!(state.alive().get("memory"), registered);
        drop((graph, backend));
        drop(prepared);
        assert_eq!(state.alive(), Default::default());
    }
    assert_eq!(super::backend::shared_alive(), 0);
}

/// The fake ends the process where calls overlap that must not.
#[test]
fn calls_that_must_be_alone_are_and_executions_of_one_context_take_turns() {
    let (threads, rounds) = if cfg!(miri) { (3, 2) } else { (4, 200) };
    for emulator in [false, true] {
        let (backend, state) = backend(emulator).unwrap();
        let graphs = [load(&backend, &LoadOptions::new()), load(&backend, &LoadOptions::new())];
        std::thread::scope(|scope| {
            for worker in 0..threads {
                let (graph, backend) = (graphs[worker % 2].clone(), backend.clone());
                scope.spawn(move || {
                    let mut prepared = graph.prepare().unwrap();
                    for round in 0..rounds {
                        prepared.input::<f32>(0).unwrap().fill(round as f32);
                        prepared.run().unwrap();
                        assert_eq!(prepared.output::<f32>(0).unwrap(), [2.0 * round as f32; 4]);
                        if round % 16 == worker {
                            drop(load(&backend, &LoadOptions::new()));
                        }
                    }
                });
            }
        });
        let (executions, most) = state.executions();
        assert_eq!(executions, threads * rounds);
        assert!(most <= if emulator { 1 } else { 2 }, "{most} at a time with two contexts");
        drop((graphs, backend));
        assert_eq!(state.alive(), Default::default());
    }
}

/// What a call of this crate costs beside the library's own work, in nanoseconds: `cargo test -p qnn --release overhead -- --ignored
/// --nocapture`. `before` is what an execution did when it made lists and looked for names each time.
#[test]
#[ignore = "a measurement"]
fn overhead() {
    let (backend, _) = npu();
    let graph = load(&backend, &LoadOptions::new());
    let (a, mut x, mut y) = ([1f32; 4], [0f32; 4], [0f32; 4]);
    let mut prepared = graph.prepare().unwrap();
    let time = |name: &str, run: &mut dyn FnMut()| {
        let mut best = f64::MAX;
        for _ in 0..20 {
            let started = Instant::now();
            (0..10_000).for_each(|_| run());
            best = best.min(started.elapsed().as_secs_f64() * 1e9 / 1e4);
        }
        println!("{name:10} {best:8.1} ns");
        best
    };
    let before = time("before", &mut || {
        let info = graph.info();
        let encoded = &graph.loaded.graphs[0];
        let given = [("a", "b"), ("x", "y")];
        let mut call = crate::call::Call::new(&encoded.inputs, &encoded.outputs);
        let known = [&info.inputs, &info.outputs];
        for ((first, second), tensors) in given.iter().zip(known) {
            let mut counts = vec![0; tensors.len()];
            for name in [first, second] {
                counts[tensors.iter().position(|tensor| tensor.name == *name).unwrap()] += 1;
            }
            assert_eq!(std::hint::black_box(counts), [1, 1]);
        }
        let outputs = &mut [TensorMut::of(&mut x), TensorMut::of(&mut y)];
        call.bind(info, &[Tensor::of(&a); 2], outputs).unwrap();
        graph.call_bound(&mut call).unwrap();
    });
    let report = |name: &str, run: &mut dyn FnMut()| {
        let now = time(name, run);
        println!("           {:.2} of before", now / before);
    };
    report("by name", &mut || {
        let inputs = [("a", Tensor::of(&a)), ("b", Tensor::of(&a))];
        graph.execute(&inputs, &mut [("x", TensorMut::of(&mut x)), ("y", TensorMut::of(&mut y))]).unwrap();
    });
    report("by place", &mut || {
        let outputs = &mut [TensorMut::of(&mut x), TensorMut::of(&mut y)];
        graph.run(&[Tensor::of(&a); 2], outputs).unwrap();
    });
    report("prepared", &mut || prepared.run().unwrap());
}
