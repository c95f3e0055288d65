// How each verdict looks: its class and its word.
export const TONES = {
  normal: ["g-normal", "normal"],
  mild: ["g-mild", "mild"],
  mild_moderate: ["g-mild-moderate", "mild–moderate"],
  moderate: ["g-moderate", "moderate"],
  moderate_severe: ["g-moderate-severe", "moderate–severe"],
  severe: ["g-severe", "severe"],
  present: ["g-present", "present"],
  unassessable: ["g-unassessable", "unassessable"],
  not_mentioned: ["g-none", "·"],
};
