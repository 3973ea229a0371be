//! COPY in its binary format, encoded here row by row.

use processor_domain::Judged;
use sea_orm::sqlx::{self, PgConnection};

use super::moment::PgMoment;

const STATEMENT: &str = "COPY positions (device_id, ts, latitude, longitude, altitude, angle, speed, satellites, \
     priority, attributes, faulty, faults) FROM STDIN (FORMAT BINARY)";
const COLUMNS: i16 = 12;
/// Signature, flags, length of the header extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: &[u8] = &(-1_i16).to_be_bytes();
const NULL: [u8; 4] = (-1_i32).to_be_bytes();
/// Bytes that are sent at a time, about: few enough to be in the processor's cache still when the driver copies them,
/// and for a batch not to take its size in memory once more.
const PART: usize = 64 * 1024;
/// Version of the binary format of `jsonb`, in front of its text.
const JSONB_VERSION: u8 = 1;

fn encode_row(out: &mut Vec<u8>, Judged { position, faults, .. }: &Judged) {
    out.extend_from_slice(&COLUMNS.to_be_bytes());
    variable(out, &[], position.device_id.as_bytes());
    fixed(out, PgMoment(position.ts).to_postgres().to_be_bytes());
    fixed(out, position.coordinates.latitude().to_be_bytes());
    fixed(out, position.coordinates.longitude().to_be_bytes());
    nullable(out, position.altitude.map(|altitude| altitude.metres().to_be_bytes()));
    nullable(out, position.heading.map(|heading| heading.degrees().to_be_bytes()));
    nullable(out, position.speed.map(|speed| speed.kmh().to_be_bytes()));
    nullable(out, position.satellites.map(|count| i16::from(count).to_be_bytes()));
    fixed(out, i16::from(position.priority.number()).to_be_bytes());
    variable(out, &[JSONB_VERSION], position.attributes.as_json().as_bytes());
    fixed(out, [u8::from(faults.faulty())]);
    nullable(out, (!faults.is_empty()).then(|| i32::from(faults.bits()).to_be_bytes()));
}

fn fixed<const N: usize>(out: &mut Vec<u8>, value: [u8; N]) {
    length(out, N);
    out.extend_from_slice(&value);
}

fn nullable<const N: usize>(out: &mut Vec<u8>, value: Option<[u8; N]>) {
    match value {
        Some(value) => fixed(out, value),
        None => out.extend_from_slice(&NULL),
    }
}

fn variable(out: &mut Vec<u8>, prefix: &[u8], value: &[u8]) {
    length(out, prefix.len() + value.len());
    out.extend_from_slice(prefix);
    out.extend_from_slice(value);
}

fn length(out: &mut Vec<u8>, length: usize) {
    // No value is near 2 GiB; one that were would be found out as malformed by the server.
    let length = i32::try_from(length).unwrap_or(i32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
}

/// Copies rows into `positions`. Outside of a transaction it is one of its own.
///
/// The driver sends COPY as a simple query each time, since it cannot prepare it: one round trip and the
/// parsing of one line for each batch.
pub(crate) async fn copy<'a>(
    connection: &mut PgConnection,
    rows: impl Iterator<Item = &'a Judged>,
) -> Result<(), sqlx::Error> {
    let mut copy = connection.copy_in_raw(STATEMENT).await?;
    let mut part = Vec::with_capacity(PART + PART / 8);
    part.extend_from_slice(HEADER);
    for row in rows {
        encode_row(&mut part, row);
        if part.len() >= PART {
            copy.send(part.as_slice()).await?;
            part.clear();
        }
    }
    part.extend_from_slice(TRAILER);
    copy.send(part).await?;
    copy.finish().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use processor_domain::{Fault, Faults, Novelty, samples};

    #[test]
    fn a_row_is_encoded_as_the_format_says() {
        let mut position = samples::position().ts("2000-01-01T00:00:01Z").attributes(r#"{"1":2}"#).build();
        position.altitude = None;
        position.satellites = Some(200);
        let judged = Judged { position, faults: Faults::from(Fault::Late), novelty: Novelty::Fresh };
        let mut out = Vec::new();
        encode_row(&mut out, &judged);
        let mut expected = 12_i16.to_be_bytes().to_vec();
        for field in [
            Some(b"356307042441013".to_vec()),
            Some(1_000_000_i64.to_be_bytes().to_vec()),
            Some(54.714_636_8_f64.to_be_bytes().to_vec()),
            Some(25.303_224_5_f64.to_be_bytes().to_vec()),
            None,
            Some(214_f32.to_be_bytes().to_vec()),
            Some(45_f32.to_be_bytes().to_vec()),
            Some(200_i16.to_be_bytes().to_vec()),
            Some(0_i16.to_be_bytes().to_vec()),
            Some(b"\x01{\"1\":2}".to_vec()),
            Some(vec![0]),
            Some(64_i32.to_be_bytes().to_vec()),
        ] {
            match field {
                Some(bytes) => {
                    expected.extend_from_slice(&i32::try_from(bytes.len()).unwrap().to_be_bytes());
                    expected.extend_from_slice(&bytes);
                }
                None => expected.extend_from_slice(&[0xff; 4]),
            }
        }
        assert_eq!(out, expected);
    }
}
