//! Who takes part.

use processor_domain::DeviceId;

use crate::Quirk;

/// A car of the rally, with what a map shows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Car {
    /// Its start number, from 1 on; they start in this order.
    pub number: u16,
    /// Driver and co-driver.
    pub crew: String,
    /// Its tracker: an IMEI with a right check digit, out of the range that is kept for tests.
    pub device_id: DeviceId,
    /// A colour of its own, as `#rrggbb`.
    pub colour: String,
    /// The fault its tracker shows from time to time, if any.
    pub quirk: Option<Quirk>,
}

/// Invented, and meant to look it: birds drive, trees read the notes.
const DRIVERS: [&str; 26] = [
    "Avocet", "Brant", "Crane", "Dunlin", "Eider", "Finch", "Godwit", "Heron", "Ibis", "Jay", "Kestrel",
    "Lark", "Merlin", "Noddy", "Osprey", "Plover", "Quail", "Rook", "Siskin", "Teal", "Umbrette", "Veery",
    "Wren", "Xenops", "Yaffle", "Zitting",
];
const CO_DRIVERS: [&str; 26] = [
    "Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Gorse", "Hazel", "Ivy", "Juniper", "Kumquat",
    "Linden", "Maple", "Nutmeg", "Oak", "Pine", "Quince", "Rowan", "Spruce", "Thorn", "Ulmus", "Vine",
    "Willow", "Xylia", "Yew", "Zelkova",
];

impl Car {
    /// The car that starts as the `index`th, from 0 on.
    pub(crate) fn nth(index: u16) -> Self {
        let (n, crews) = (usize::from(index), DRIVERS.len());
        Self {
            number: index.saturating_add(1),
            // The shift by rounds keeps the crews apart when every driver has been used once.
            crew: format!("{} / {}", DRIVERS[n % crews], CO_DRIVERS[(n * 7 + n / crews) % crews]),
            device_id: device_id(u32::from(index) + 1),
            colour: colour(index),
            quirk: Quirk::of_car(index),
        }
    }
}

/// IMEIs that begin with 00 are for tests: no tracker sold has one.
fn device_id(serial: u32) -> DeviceId {
    let digits = format!("00440000{serial:06}");
    let device_id = format!("{digits}{}", luhn_check_digit(&digits));
    DeviceId::parse(&device_id).unwrap_or_else(|_| unreachable!("digits are a device id"))
}

fn luhn_check_digit(digits: &str) -> u32 {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(digit - b'0')) {
            (0, digit) => digit * 2 / 10 + digit * 2 % 10,
            (_, digit) => digit,
        })
        .sum();
    (10 - sum % 10) % 10
}

/// Steps of the golden angle around the circle of hues: however many cars there are, neighbours differ.
fn colour(index: u16) -> String {
    let hue = f64::from(index) * 137.508 % 360.0;
    let lightness = [0.45, 0.58, 0.36][usize::from(index % 3)];
    let chroma = 0.72 * f64::min(lightness, 1.0 - lightness);
    let channel = |offset: f64| {
        let k = (offset + hue / 30.0) % 12.0;
        let value = lightness - chroma * f64::min(k - 3.0, 9.0 - k).clamp(-1.0, 1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 255")]
        let byte = (value * 255.0).round() as u8;
        byte
    };
    format!("#{:02x}{:02x}{:02x}", channel(0.0), channel(8.0), channel(4.0))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn check_digits_are_those_of_luhn() {
        // The IMEI of the standard's own example.
        assert_eq!(luhn_check_digit("49015420323751"), 8);
        assert_eq!(Car::nth(0).device_id.as_str(), "004400000000016");
    }

    #[test]
    fn no_two_cars_are_alike() {
        let cars: Vec<_> = (0..200).map(Car::nth).collect();
        let distinct = |of: fn(&Car) -> String| cars.iter().map(of).collect::<HashSet<_>>().len();
        assert_eq!(distinct(|car| car.device_id.to_string()), 200);
        assert_eq!(distinct(|car| car.crew.clone()), 200);
        assert_eq!(distinct(|car| car.colour.clone()), 200);
        assert!(cars.iter().all(|car| car.colour.len() == 7));
    }
}
