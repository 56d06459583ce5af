"""Files to pictures and frames: stills, animations and clips, and how many frames of a clip fit."""
