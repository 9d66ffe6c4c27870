//! What every TIM-Net engine shares.
