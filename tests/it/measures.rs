//! Measures of shapes that are known exactly.

use deepspine::imaging::spine::{Foramen, Spine};
use deepspine::imaging::{Geometry, Mask};
use deepspine::label::Level;
use deepspine::simulate::{Ellipse, Phantom};

/// Sagittal slices so far apart with pixels so wide, moved by parts of a voxel.
fn grid(pixel: f64, apart: f64, moved: [f64; 3]) -> Geometry {
    let size = [(170.0 / pixel) as usize, (300.0 / pixel) as usize, (84.0 / apart) as usize];
    let steps = [[0.0, pixel, 0.0], [0.0, 0.0, -pixel], [apart, 0.0, 0.0]];
    Geometry::new(size, moved, steps).unwrap()
}

/// The largest differences from what is known, over levels: AP diameter in mm and area as a share
/// behind the disc, and both again where the canal is narrowest, which is there too.
fn worst(mask: &Mask, phantom: &Phantom) -> [f64; 4] {
    let spine = Spine::of(mask).expect("a phantom has a spine");
    let levels = &spine.measures.levels;
    assert_eq!(levels.len(), phantom.canals.len());
    let mut worst = [0.0f64; 4];
    for (level, truth) in levels.iter().zip(&phantom.canals) {
        let canal = level.canal.expect("every level has a canal");
        let narrowest = level.narrowest.expect("the image is wide enough");
        assert!(narrowest.area <= canal.area + 1e-9, "{} {}", narrowest.area, canal.area);
        let [behind, least] = [canal, narrowest].map(|section| {
            [(section.ap - truth.ap).abs(), (section.area / truth.area() - 1.0).abs()]
        });
        for (worst, error) in worst.iter_mut().zip(behind.into_iter().chain(least)) {
            *worst = worst.max(error);
        }
    }
    worst
}

#[test]
fn the_canal_is_measured_between_voxels_and_so_is_where_it_is_narrowest() {
    let phantom = Phantom::default();
    // The narrowest canal is 12 mm wide: on slices 4 mm apart it shows on two or three. The grade rests on
    // the area where it is narrowest.
    let bounds = [
        (0.47, 0.9, [0.2, 0.02, 0.2, 0.02]),
        (0.6, 3.3, [0.3, 0.04, 0.3, 0.04]),
        (0.75, 4.0, [0.4, 0.06, 0.45, 0.06]),
        (0.9, 4.4, [0.6, 0.12, 0.6, 0.14]),
    ];
    for (pixel, apart, most) in bounds {
        for moved in [[0.0; 3], [1.7, 0.21, 0.4], [0.8, 0.5, 0.1]] {
            // The grid moves against the phantom.
            let phantom_in = phantom.placed(&grid(pixel, apart, [0.0; 3]));
            let worst = worst(&phantom_in.mask(grid(pixel, apart, moved)), &phantom);
            let [ap, area, least_ap, least_area] = worst;
            eprintln!(
                "{pixel} mm, {apart} mm apart: AP {ap:.2} mm, area {:.1} %; where it is narrowest \
                 {least_ap:.2} mm, {:.1} %",
                100.0 * area,
                100.0 * least_area
            );
            let is_within = worst.iter().zip(&most).all(|(error, most)| error <= most);
            assert!(is_within, "{pixel} {apart}: {worst:?}");
        }
    }
}

#[test]
fn discs_and_bodies_have_their_heights_and_names() {
    let phantom = Phantom { bend: 14.0, ..Phantom::default() };
    let geometry = grid(0.6, 3.3, [0.0; 3]);
    let spine = Spine::of(&phantom.placed(&geometry).mask(geometry)).unwrap();
    let names: Vec<_> = spine.naming.levels.iter().map(|named| named.level.unwrap()).collect();
    assert_eq!(names.first(), Some(&Level::T11T12));
    assert_eq!(names.last(), Some(&Level::L5S1));
    assert!(!spine.naming.needs_a_person(), "{:?}", spine.naming);
    for (place, (level, body)) in
        spine.measures.levels.iter().zip(&spine.measures.bodies).enumerate()
    {
        let height = level.disc_height.unwrap();
        assert!((height - phantom.discs[place]).abs() < 0.5, "{place}: disc {height}");
        let depth = level.disc_depth.unwrap();
        assert!((depth - phantom.depth).abs() < 1.0, "{place}: depth {depth}");
        if place > 0 {
            let middle = body.middle.unwrap();
            assert!((middle - phantom.bodies[place]).abs() < 0.8, "{place}: body {middle}");
        }
        if let Some(slip) = level.listhesis {
            assert!(slip.abs() < 0.8, "{place}: {slip}");
        }
    }
    let lordosis = spine.lordosis().unwrap();
    assert!((20.0..50.0).contains(&lordosis), "{lordosis}");
}

#[test]
fn foramina_are_measured_between_pedicles_where_they_are_in_view() {
    // Behind a bent column, what is the same along its curve is less high.
    let phantom = Phantom { tilt: [0.0, 0.0], ..Phantom::default() };
    for (pixel, apart) in [(0.47, 0.9), (0.6, 3.3), (0.75, 4.0)] {
        let geometry = grid(pixel, apart, [0.3, 0.1, 0.2]);
        let spine = Spine::of(&phantom.placed(&geometry).mask(geometry)).unwrap();
        for (place, level) in spine.measures.levels.iter().enumerate() {
            for foramen in [level.left_foramen, level.right_foramen] {
                // Below the lowest disc there is no pedicle.
                let Some(lower) = phantom.bodies.get(place + 1) else {
                    assert_eq!(foramen, Foramen::NotFound);
                    continue;
                };
                let [above, below] = Phantom::PEDICLE;
                let upper = phantom.bodies[place] * (1.0 - below);
                let is = upper + phantom.discs[place] + lower * above;
                let Foramen::Measured { height, width } = foramen else {
                    panic!("{pixel} {apart}, {place}: {foramen:?}");
                };
                assert!((height - is).abs() < 1.0, "{pixel} {apart}, {place}: {height}, not {is}");
                // Facets are 4 mm behind the front of a canal that widens above the disc.
                let canal = phantom.canals[place].ap;
                let behind = width - canal;
                assert!((3.0..7.5).contains(&behind), "{pixel} {apart}, {place}: {width}, {canal}");
            }
        }
    }
    let mut narrow = grid(0.6, 3.0, [0.0; 3]);
    let placed = phantom.placed(&narrow);
    narrow.origin[0] = narrow.centre()[0] - 12.0;
    narrow.size[2] = 9;
    let spine = Spine::of(&placed.mask(narrow)).unwrap();
    assert!(spine.measures.levels.iter().all(|level| level.left_foramen == Foramen::OutOfView));
}

#[test]
fn a_canal_at_the_image_s_end_is_told_to_be_cut() {
    let phantom = Phantom { canal: Ellipse { ap: 15.0, width: 20.0 }, ..Phantom::default() };
    let whole = grid(0.6, 3.0, [0.0; 3]);
    let placed = phantom.placed(&whole);
    let mut narrow = whole;
    narrow.size[2] = 4;
    narrow.origin[0] = whole.centre()[0] - 4.5;
    let spine = Spine::of(&placed.mask(narrow)).unwrap();
    let canals: Vec<_> = spine.measures.levels.iter().filter_map(|level| level.canal).collect();
    assert!(canals.iter().filter(|canal| canal.is_cut).count() >= 4, "{canals:?}");
}
