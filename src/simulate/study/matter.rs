//! What a place of the body is made of, and how bright it is on T1- and T2-weighted images.

/// A kind of tissue that looks its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Matter {
    Air,
    SkinFat,
    Fat,
    /// Fat in the canal and in foramina.
    EpiduralFat,
    Muscle,
    Marrow,
    Cortex,
    /// Bone near a worn endplate, by the type of its Modic change.
    Modic1,
    Modic2,
    Modic3,
    Vein,
    Nucleus,
    Annulus,
    /// A bright cleft in the annulus.
    Fissure,
    /// Ligaments, flava, capsules.
    Ligament,
    Fluid,
    /// What holds the fluid: thin, so that it is never seen alone.
    Dura,
    /// A root of a nerve.
    Root,
    Cord,
    /// Between fluid and root, from more to less fluid.
    FewRoots,
    ManyRoots,
    Cartilage,
    Vessel,
    SlowBlood,
    Bowel,
    Kidney,
    Scar,
    /// Nothing is seen in metal, and too much beside it.
    Metal,
    Flare,
}

impl Matter {
    pub const COUNT: usize = Self::Flare as usize + 1;
}

/// Brightness on T2 and on T1, where fat is 1 on T1 and fluid is 1 on T2, and how much textures
/// change it.
pub(super) struct Look {
    pub t2: f64,
    pub t1: f64,
    pub grain: f64,
}

const fn look(t2: f64, t1: f64, grain: f64) -> Look {
    Look { t2, t1, grain }
}

/// Relative signals of fast spin echoes as they are on lumbar studies at 1.5 and 3 T: T2 with TE about
/// 110 ms, T1 with TR about 600 ms.
#[rustfmt::skip]
pub(super) const LOOKS: [Look; Matter::COUNT] = [
    look(0.010, 0.010, 0.00), // air
    look(0.780, 1.000, 0.05), // fat under the skin
    look(0.680, 0.880, 0.12), // fat
    look(0.700, 0.900, 0.03), // fat of the canal
    look(0.150, 0.290, 0.22), // muscle
    look(0.400, 0.520, 0.11), // marrow
    look(0.060, 0.080, 0.05), // cortex
    look(0.600, 0.330, 0.10), // Modic 1
    look(0.540, 0.700, 0.10), // Modic 2
    look(0.190, 0.200, 0.10), // Modic 3
    look(0.620, 0.300, 0.05), // vein
    look(0.560, 0.320, 0.08), // nucleus
    look(0.120, 0.210, 0.10), // annulus
    look(0.620, 0.300, 0.05), // fissure
    look(0.110, 0.170, 0.06), // ligament
    look(1.000, 0.140, 0.02), // fluid
    look(0.420, 0.300, 0.00), // dura
    look(0.360, 0.330, 0.03), // root
    look(0.400, 0.400, 0.02), // cord
    look(0.800, 0.180, 0.02), // few roots
    look(0.570, 0.250, 0.03), // many roots
    look(0.420, 0.320, 0.02), // cartilage
    look(0.030, 0.060, 0.10), // vessel
    look(0.260, 0.160, 0.10), // slow blood
    look(0.300, 0.300, 0.35), // bowel
    look(0.480, 0.330, 0.08), // kidney
    look(0.330, 0.300, 0.20), // scar
    look(0.005, 0.005, 0.00), // metal
    look(1.300, 1.200, 0.10), // flare
];

/// Marks of what it is for masks.
impl Matter {
    /// What a perfect segmenter would call it, where it does not hang on where it is.
    pub const fn is_bone(self) -> bool {
        matches!(
            self,
            Self::Marrow | Self::Cortex | Self::Modic1 | Self::Modic2 | Self::Modic3 | Self::Vein
        )
    }

    pub const fn is_disc(self) -> bool {
        matches!(self, Self::Nucleus | Self::Annulus | Self::Fissure)
    }

    /// Within the dural sac.
    pub const fn is_sac(self) -> bool {
        matches!(self, Self::Fluid | Self::Root | Self::Cord | Self::FewRoots | Self::ManyRoots)
    }
}
