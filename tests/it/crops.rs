//! Levels cut out of studies whose brightness is known at every place.

use std::io::Cursor;

use deepspine::imaging::crop::{SHAPES, Sources, middles};
use deepspine::imaging::geometry::{Lps, along, direction, dot, length, minus};
use deepspine::imaging::npz::{self, NpzError};
use deepspine::imaging::spine::{Frame, LevelMeasures, Measures, Spine};
use deepspine::imaging::{
    Crop, Cut, Geometry, Kind, Mask, Protocol, Series, Stack, Study, Tissue, Volume,
};
use deepspine::simulate::Phantom;

/// Slices of a plane that is tilted to the front by so many degrees.
fn axial(centre: Lps, tilt: f64, slices: usize, apart: f64) -> Geometry {
    let (sine, cosine) = tilt.to_radians().sin_cos();
    let steps =
        [[0.6, 0.0, 0.0], [0.0, 0.6 * cosine, -0.6 * sine], [0.0, -apart * sine, -apart * cosine]];
    centred([320, 320, slices], centre, steps)
}

fn sagittal(centre: Lps, slices: usize, apart: f64) -> Geometry {
    // Slices go from the left to the right, and lie a little askew.
    let steps = [[0.0, 0.7, 0.0], [-0.04, 0.0, -0.7], [-apart, 0.0, 0.0]];
    centred([300, 400, slices], centre, steps)
}

fn centred(size: [usize; 3], centre: Lps, steps: [Lps; 3]) -> Geometry {
    let mut origin = centre;
    for axis in 0..3 {
        origin = along(origin, steps[axis], -(size[axis] as f64 - 1.0) / 2.0);
    }
    Geometry::new(size, origin, steps).unwrap()
}

fn drawn(geometry: Geometry, brightness: impl Fn(Lps) -> f64) -> Volume {
    let mut volume = Volume::filled(geometry, 0.0);
    let [width, height, depth] = geometry.size;
    for k in 0..depth {
        for j in 0..height {
            for i in 0..width {
                let at = geometry.to_patient([i as f64, j as f64, k as f64]);
                volume.values[geometry.place(i, j, k)] = brightness(at) as f32;
            }
        }
    }
    volume
}

fn series(volumes: Vec<Volume>, echo: f64, frame: &str) -> Series {
    let stack = |volume: Volume| {
        let slices = vec![None; volume.geometry.size[2]];
        Stack { volume, slices, back: None, notes: Vec::new() }
    };
    let protocol = Protocol {
        echo_time: Some(echo),
        repetition_time: Some(if echo > 50.0 { 3000.0 } else { 600.0 }),
        frame_of_reference: Some(frame.to_owned()),
        ..Protocol::default()
    };
    Series::new("t".into(), protocol, volumes.into_iter().map(stack).collect(), Vec::new())
}

fn study(series: Vec<Series>) -> Study {
    Study { series, refused: Vec::new() }
}

/// The 1st and the 99th percentile, found otherwise than by what is tested.
fn range(volumes: &[&Volume]) -> [f64; 2] {
    let mut values: Vec<f32> = volumes.iter().flat_map(|v| v.values.iter().copied()).collect();
    values.sort_by(f32::total_cmp);
    [0.01, 0.99].map(|share| f64::from(values[((values.len() - 1) as f64 * share) as usize]))
}

/// A plane in space: between voxels in lines there is no error but that of rounding.
fn ramp(at: Lps) -> f64 {
    500.0 + at[0] - 0.7 * at[1] + 0.4 * at[2]
}

/// Compares all voxels of a crop of `ramp`, but for those too near to the end of what it was cut out
/// of, with what must be there, and returns how many there were.
fn check_ramp(crop: &Crop, of: &Volume, [black, white]: [f64; 2], kind: Kind) -> usize {
    let mut checked = 0;
    let [width, height, depth] = crop.geometry.size;
    for k in 0..depth {
        for j in (0..height).step_by(3) {
            for i in (0..width).step_by(3) {
                let at = crop.geometry.to_patient([i as f64, j as f64, k as f64]);
                let voxel = of.geometry.to_voxel(at);
                let value = f64::from(crop.at(i, j, k).to_f32());
                let last = of.geometry.size.map(|side| side as f64 - 1.0);
                if (0..3).all(|axis| (0.0..=last[axis]).contains(&voxel[axis])) {
                    let wanted = (ramp(at) - black) / (white - black);
                    // Eleven bits.
                    let most = 5e-4 * wanted.abs().max(1.0);
                    assert!(
                        (value - wanted).abs() < most,
                        "{kind:?} {i} {j} {k}: {value} {wanted}"
                    );
                    checked += 1;
                } else if (0..3).any(|axis| !(-0.51..last[axis] + 0.51).contains(&voxel[axis])) {
                    assert_eq!(value, 0.0, "{kind:?} {i} {j} {k} is outside");
                }
            }
        }
    }
    checked
}

/// A level whose disc is tilted, as L5-S1 is, and turned a little.
fn level() -> Frame {
    let (sine, cosine) = 35.0f64.to_radians().sin_cos();
    Frame::new([6.0, 12.0, -20.0], direction([0.05, -sine, -cosine]).unwrap())
}

#[test]
fn a_crop_shows_each_place_where_its_affine_says() {
    let t2 = drawn(sagittal([4.0, 10.0, -10.0], 17, 4.0), ramp);
    let t1 = drawn(sagittal([0.0, 14.0, -16.0], 15, 4.4), ramp);
    let groups = [axial([5.0, 15.0, -20.0], 33.0, 9, 3.5), axial([5.0, 2.0, 20.0], 12.0, 9, 3.5)];
    let axials = groups.map(|geometry| drawn(geometry, ramp));
    let ranges = [range(&[&t2]), range(&[&t1]), range(&[&axials[0], &axials[1]])];
    let volumes = [t2.clone(), t1.clone(), axials[0].clone()];
    let study = study(vec![
        series(axials.into(), 100.0, "f"),
        series(vec![t2], 100.0, "f"),
        series(vec![t1], 12.0, "f"),
    ]);
    let Cut { segment, covered } = Sources::of(&study, Some("f")).cut(&level());
    for (shape, (volume, range)) in SHAPES.iter().zip(volumes.iter().zip(ranges)) {
        let crop = segment.get(shape.kind).expect("the level is in view");
        assert_eq!(crop.geometry.size, shape.size);
        let checked = check_ramp(crop, volume, range, shape.kind);
        assert!(checked * 9 > crop.values.len() / 2, "{:?}: only {checked}", shape.kind);
        let middle = shape.size[2] / 2;
        assert_eq!(covered[&shape.kind][middle], 1.0);
    }
}

#[test]
fn crops_lie_as_people_look_at_them() {
    let frame = level();
    for shape in &SHAPES {
        let geometry = shape.geometry(&frame);
        assert!(length(minus(geometry.centre(), frame.at)) < 1e-9);
        for (spacing, wanted) in geometry.spacing().into_iter().zip(shape.spacing) {
            assert!((spacing - wanted).abs() < 1e-9);
        }
        let towards =
            |axis: usize, along: Lps| dot(geometry.steps[axis], along) / shape.spacing[axis];
        let [left, back, down] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]];
        let leads = match shape.kind {
            Kind::AxialT2 => [towards(0, left), towards(1, back), towards(2, down)],
            _ => [towards(0, back), towards(1, down), towards(2, left)],
        };
        assert!(leads.iter().all(|share| *share > 0.8), "{:?} {leads:?}", shape.kind);
        // Sagittal planes hold the level's normal; axial ones are normal to it.
        let normal = if shape.kind == Kind::AxialT2 { 2 } else { 1 };
        assert!((towards(normal, frame.down) - 1.0).abs() < 1e-9);
    }
    // A ball on the left, in front and above is where it should be.
    let ball = frame.place(9.0, 14.0, -5.0);
    let bright = |at: Lps| if length(minus(at, ball)) < 4.0 { 900.0 } else { 100.0 + 0.5 * at[0] };
    let study = study(vec![
        series(vec![drawn(sagittal(frame.at, 41, 1.5), bright)], 100.0, "f"),
        series(vec![drawn(axial(frame.at, 35.0, 21, 1.5), bright)], 100.0, "f"),
    ]);
    let cut = Sources::of(&study, Some("f")).cut(&frame);
    let centre = |kind: Kind| {
        let crop = cut.segment.get(kind).unwrap();
        let [width, height, depth] = crop.geometry.size;
        let (mut sum, mut at) = (0.0, [0.0; 3]);
        for k in 0..depth {
            for j in 0..height {
                for i in 0..width {
                    // Percentiles are of what is around the ball, which is far above them.
                    if crop.at(i, j, k).to_f32() > 5.0 {
                        sum += 1.0;
                        at = along(at, [i as f64, j as f64, k as f64], 1.0);
                    }
                }
            }
        }
        at.map(|of| of / sum)
    };
    // Half of 25 slices 2.5 mm apart, of rows and columns of 0.5 mm; 8 slices, 3 mm, 0.4 mm.
    let wanted = [79.5 - 28.0, 159.5 - 10.0, 12.0 + 3.6];
    let sagittal = centre(Kind::SagittalT2);
    for axis in 0..3 {
        assert!((sagittal[axis] - wanted[axis]).abs() < 0.6, "{sagittal:?}, not {wanted:?}");
    }
    let wanted = [179.5 + 22.5, 179.5 - 35.0, 3.5 - 1.67];
    let axial = centre(Kind::AxialT2);
    for axis in 0..3 {
        assert!((axial[axis] - wanted[axis]).abs() < 0.6, "{axial:?}, not {wanted:?}");
    }
}

#[test]
fn axial_slices_are_of_the_stack_that_lies_as_the_level_does() {
    let frame = level();
    // Straight slices cover all; those through the disc cover it alone. Their brightness tells them
    // apart.
    let straight = drawn(axial([6.0, 12.0, -20.0], 0.0, 30, 4.0), |_| 300.0);
    let angled = drawn(axial([6.0, 12.0, -20.0], 34.0, 4, 4.0), |_| 700.0);
    let other = drawn(axial([6.0, 0.0, 20.0], 10.0, 4, 4.0), |_| 900.0);
    let volumes = vec![straight, angled, other];
    let [black, white] = range(&volumes.iter().collect::<Vec<_>>());
    let study = study(vec![series(volumes, 100.0, "f")]);
    let cut = Sources::of(&study, Some("f")).cut(&frame);
    let crop = cut.segment.get(Kind::AxialT2).unwrap();
    let shown: Vec<i32> = (0..8)
        .map(|k| {
            let value = f64::from(crop.at(180, 180, k).to_f32());
            (value * (white - black) + black).round() as i32
        })
        .collect();
    // Four slices of 4 mm are as far as 8 mm up and down.
    assert_eq!(shown, [300, 700, 700, 700, 700, 700, 700, 300]);
    assert!(cut.covered[&Kind::AxialT2].iter().all(|&share| share >= 0.5), "{:?}", cut.covered);
}

#[test]
fn what_does_not_show_the_level_or_shares_no_millimetres_gives_no_crop() {
    let frame = level();
    let far = along(frame.at, frame.down, -90.0);
    let above = along(frame.at, frame.down, -9.0);
    let flat = |geometry| drawn(geometry, |at| 100.0 + at[0]);
    let t2 = || series(vec![flat(sagittal(frame.at, 17, 4.0))], 100.0, "f");
    let cut = |axial: Series| Sources::of(&study(vec![t2(), axial]), Some("f")).cut(&frame);
    let missed = cut(series(vec![flat(axial(far, 35.0, 5, 4.0))], 100.0, "f"));
    assert!(missed.segment.get(Kind::AxialT2).is_none());
    assert_eq!(missed.covered[&Kind::AxialT2], [0.0; 8]);
    assert!(missed.segment.get(Kind::SagittalT2).is_some());
    assert!(missed.segment.get(Kind::SagittalT1).is_none());

    // Five slices of 4 mm whose middle is 9 mm above: they end 1 mm below the disc's middle.
    let half = cut(series(vec![flat(axial(above, 35.0, 5, 4.0))], 100.0, "f"));
    let covered = &half.covered[&Kind::AxialT2];
    assert!(half.segment.get(Kind::AxialT2).is_some());
    assert!(covered[..4].iter().all(|&share| share > 0.9), "{covered:?}");
    assert!(covered[4..].iter().all(|&share| share < 0.5), "{covered:?}");

    let elsewhere = cut(series(vec![flat(axial(frame.at, 35.0, 9, 4.0))], 100.0, "another"));
    assert!(!elsewhere.covered.contains_key(&Kind::AxialT2));
}

/// A bent spine, and its mask.
fn bent() -> (Phantom, Mask) {
    let phantom = Phantom { bend: 8.0, ..Phantom::default() };
    let steps = [[0.0, 0.6, 0.0], [0.0, 0.0, -0.6], [3.3, 0.0, 0.0]];
    let geometry = Geometry::new([283, 500, 25], [0.0; 3], steps).unwrap();
    let mask = phantom.placed(&geometry).mask(geometry);
    (phantom, mask)
}

#[test]
fn the_middle_of_a_level_is_where_its_disc_meets_the_canal() {
    let (phantom, mask) = bent();
    let spine = Spine::of(&mask).unwrap();
    for (disc, at) in spine.column.discs.iter().zip(middles(&spine.column, &spine.measures)) {
        let [left, front, down] = disc.frame().offsets(at.at);
        // The back of the disc, and the 2 mm between it and the canal.
        let back = -front - phantom.depth / 2.0;
        assert!((-1.0..3.5).contains(&back), "{back} mm behind the back of the disc");
        assert!(down.abs() < 1e-6 && left.abs() < 1.0, "{left} {down}");
        assert_eq!(at.down, disc.down);
    }
}

#[test]
fn where_no_canal_is_seen_the_disc_tells_where_the_middle_is() {
    let (phantom, mut mask) = bent();
    let whole = Spine::of(&mask).unwrap();
    let right = middles(&whole.column, &whole.measures);
    // The canal ends between two discs.
    let last = whole.column.discs.len() - 3;
    let end = (right[last].at[2] + right[last + 1].at[2]) / 2.0;
    let [width, height, depth] = mask.geometry.size;
    for (i, j, k) in
        (0..depth).flat_map(|k| (0..height).flat_map(move |j| (0..width).map(move |i| (i, j, k))))
    {
        let place = mask.geometry.place(i, j, k);
        let up = mask.geometry.to_patient([i as f64, j as f64, k as f64])[2];
        if mask.values[place] == Tissue::Canal.number() && up < end {
            mask.values[place] = Tissue::Background.number();
        }
    }
    let cut_off = Spine::of(&mask).unwrap();
    assert!(cut_off.measures.levels[last].canal.is_some());
    assert!(cut_off.measures.levels[last + 1].canal.is_none());
    for (at, right) in middles(&cut_off.column, &cut_off.measures).iter().zip(&right) {
        let off = length(minus(at.at, right.at));
        assert!(off < 2.5, "{off} mm from where it is with a whole canal");
    }

    let mut blind = whole.column.clone();
    blind.canal = None;
    let nowhere = Measures {
        levels: whole
            .measures
            .levels
            .iter()
            .map(|of| LevelMeasures { canal: None, ..*of })
            .collect(),
        ..whole.measures.clone()
    };
    let at = middles(&blind, &nowhere)[3];
    let front = blind.discs[3].frame().offsets(at.at)[1];
    assert!((front + phantom.depth / 2.0).abs() < 1.0, "{front}");
}

/// A segment of two crops.
fn segment() -> deepspine::imaging::Segment {
    let study = study(vec![
        series(vec![drawn(sagittal(level().at, 9, 4.0), ramp)], 100.0, "f"),
        series(vec![drawn(axial(level().at, 35.0, 6, 4.0), ramp)], 100.0, "f"),
    ]);
    Sources::of(&study, None).cut(&level()).segment
}

#[test]
fn a_segment_comes_back_from_its_file() {
    let segment = segment();
    let mut bytes = Cursor::new(Vec::new());
    npz::write(&segment, &mut bytes).unwrap();
    assert_eq!(npz::read(&mut bytes).unwrap(), segment);
    let one = npz::read_crop(&mut bytes, Kind::AxialT2).unwrap();
    assert_eq!(one.as_ref(), segment.get(Kind::AxialT2));
    assert_eq!(npz::read_crop(&mut bytes, Kind::SagittalT1).unwrap(), None);
}

#[test]
fn damaged_segments_are_refused_by_name() {
    use std::io::Write;
    use zip::write::SimpleFileOptions;
    let of = |array: &str, line: &str, values: usize| {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file(array, SimpleFileOptions::default()).unwrap();
        let head = [&b"\x93NUMPY\x01\x00"[..], &(line.len() as u16).to_le_bytes()].concat();
        zip.write_all(&head).unwrap();
        zip.write_all(line.as_bytes()).unwrap();
        zip.write_all(&vec![0; values]).unwrap();
        npz::read(zip.finish().unwrap()).unwrap_err().to_string()
    };
    let shaped = |kind: &str, order: &str, shape: &str| {
        format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}\n")
    };
    let error = of("axial_t2.npy", &shaped("<f4", "False", "(1, 2, 3)"), 24);
    assert!(error.contains("axial_t2") && error.contains("float16"), "{error}");
    assert!(of("axial_t2.npy", &shaped("<f2", "True", "(1, 2, 3)"), 12).contains("float16"));
    assert!(of("axial_t2.npy", &shaped("<f2", "False", "(2, 3)"), 12).contains("float16"));
    let huge = of("axial_t2.npy", &shaped("<f2", "False", "(99999, 99999, 99999)"), 12);
    assert!(huge.contains("ends early"), "{huge}");
    let lone = of("axial_t2.npy", &shaped("<f2", "False", "(1, 2, 3)"), 12);
    assert!(lone.contains("axial_t2_affine"), "{lone}");
    assert!(of("axial_t2.npy", "nothing", 0).contains("axial_t2"));
    assert!(matches!(npz::read(Cursor::new(b"no zip")), Err(NpzError::Zip(_))));
    // What else is there does not matter.
    let mut bytes = Cursor::new(Vec::new());
    npz::write(&Default::default(), &mut bytes).unwrap();
    assert!(npz::read(bytes).unwrap().crops.is_empty());
}
