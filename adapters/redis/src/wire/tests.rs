use super::*;
use proptest::prelude::*;

const LIMIT: usize = 1 << 20;

/// A reply as a tree, for the tests only.
#[derive(Clone, Debug)]
enum Tree {
    Array(Vec<Tree>),
    Bulk(Vec<u8>),
    Integer(i64),
    Simple(String),
    Error(String),
    NullBulk,
    NullArray,
}

impl Tree {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Array(nodes) => {
                out.extend(format!("*{}\r\n", nodes.len()).bytes());
                for node in nodes {
                    node.write(out);
                }
            }
            Self::Bulk(bytes) => {
                out.extend(format!("${}\r\n", bytes.len()).bytes());
                out.extend(bytes);
                out.extend(b"\r\n");
            }
            Self::Integer(number) => out.extend(format!(":{number}\r\n").bytes()),
            Self::Simple(text) => out.extend(format!("+{text}\r\n").bytes()),
            Self::Error(text) => out.extend(format!("-{text}\r\n").bytes()),
            Self::NullBulk => out.extend(b"$-1\r\n"),
            Self::NullArray => out.extend(b"*-1\r\n"),
        }
    }

    fn expect_at(&self, cursor: &mut Cursor<'_>) {
        let node = cursor.node().unwrap();
        match self {
            Self::Array(nodes) => {
                assert_eq!(node, Node::Array(nodes.len()));
                for tree in nodes {
                    tree.expect_at(cursor);
                }
            }
            Self::Bulk(bytes) => assert_eq!(node, Node::Bytes(bytes)),
            Self::Integer(number) => assert_eq!(node, Node::Integer(*number)),
            Self::Simple(text) => assert_eq!(node, Node::Bytes(text.as_bytes())),
            Self::Error(text) => assert_eq!(node, Node::Error(text.as_bytes())),
            Self::NullBulk | Self::NullArray => assert_eq!(node, Node::Null),
        }
    }
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Tree::Bulk),
        any::<i64>().prop_map(Tree::Integer),
        "[ -~]{0,20}".prop_map(Tree::Simple),
        "[ -~]{0,20}".prop_map(Tree::Error),
        Just(Tree::NullBulk),
        Just(Tree::NullArray),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| prop::collection::vec(inner, 0..6).prop_map(Tree::Array))
}

fn scan(bytes: &[u8]) -> Result<Option<usize>, ProtocolError> {
    Scanner::new(LIMIT).scan(bytes)
}

proptest! {
    #[test]
    fn byte_by_byte_ends_where_all_at_once_ends(trees in prop::collection::vec(tree(), 1..4)) {
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for tree in &trees {
            tree.write(&mut bytes);
            ends.push(bytes.len());
        }
        let mut scanner = Scanner::new(LIMIT);
        let mut found = Vec::new();
        for end in &ends {
            prop_assert_eq!(scanner.scan(&bytes), Ok(Some(*end)));
        }
        let mut scanner = Scanner::new(LIMIT);
        for size in 0..=bytes.len() {
            found.extend(scanner.scan(&bytes[..size]).unwrap());
        }
        prop_assert_eq!(found, ends);
    }

    #[test]
    fn a_cursor_finds_what_was_written(tree in tree()) {
        let mut bytes = Vec::new();
        tree.write(&mut bytes);
        let mut cursor = Cursor::new(&bytes);
        tree.expect_at(&mut cursor);
        prop_assert!(cursor.remaining() == 0);
        let mut cursor = Cursor::new(&bytes);
        cursor.skip().unwrap();
        prop_assert!(cursor.remaining() == 0);
    }

    #[test]
    fn no_bytes_do_harm(bytes in prop::collection::vec(prop_oneof![
        any::<u8>(), Just(b'*'), Just(b'$'), Just(b'\r'), Just(b'\n'), b'0'..=b'9', Just(b'-'),
    ], 0..200)) {
        let all_at_once = scan(&bytes);
        let mut scanner = Scanner::new(LIMIT);
        let mut grown = Ok(None);
        for size in 0..=bytes.len() {
            grown = scanner.scan(&bytes[..size]);
            if grown != Ok(None) {
                break;
            }
        }
        prop_assert_eq!(grown, all_at_once);
        let mut cursor = Cursor::new(&bytes);
        while cursor.node().is_ok() {}
    }
}

#[test]
fn a_read_of_one_entry_is_walked_over() {
    let reply = b"*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$7\r\npayload\r\n$2\r\n{}\r\n";
    assert_eq!(scan(reply), Ok(Some(reply.len())));
    let mut cursor = Cursor::new(reply);
    let expected: [Node<'_>; 8] = [
        Node::Array(1),
        Node::Array(2),
        Node::Bytes(b"s"),
        Node::Array(1),
        Node::Array(2),
        Node::Bytes(b"1-0"),
        Node::Array(2),
        Node::Bytes(b"payload"),
    ];
    for node in expected {
        assert_eq!(cursor.node(), Ok(node));
    }
    assert_eq!(cursor.node(), Ok(Node::Bytes(b"{}")));
    assert_eq!(cursor.node(), Err(ProtocolError::Unexpected));
}

#[test]
fn hostile_replies_are_errors() {
    let table: [(&[u8], ProtocolError); 14] = [
        (b"$1048577\r\n", ProtocolError::TooLarge { limit: LIMIT }),
        (b"*1048577\r\n", ProtocolError::TooLarge { limit: LIMIT }),
        (b"$9223372036854775807\r\n", ProtocolError::TooLarge { limit: LIMIT }),
        (b"*9223372036854775807\r\n", ProtocolError::TooLarge { limit: LIMIT }),
        (b"$9223372036854775808\r\n", ProtocolError::MalformedNumber),
        (b":99999999999999999999", ProtocolError::MalformedNumber),
        (b"$00000000000000000000000000000000000001\r\n", ProtocolError::MalformedNumber),
        (b"$-2\r\n", ProtocolError::MalformedNumber),
        (b"*-9\r\n", ProtocolError::MalformedNumber),
        (b"$\r\n", ProtocolError::MalformedNumber),
        (b":1x\r\n", ProtocolError::MalformedNumber),
        (b"$1\r\nabc", ProtocolError::MissingLineEnd),
        (b"+OK\rx", ProtocolError::MissingLineEnd),
        (b"%1\r\n", ProtocolError::UnknownKind(b'%')),
    ];
    for (bytes, error) in table {
        assert_eq!(scan(bytes), Err(error), "{}", String::from_utf8_lossy(bytes));
    }
    assert_eq!(scan(&b"*1\r\n".repeat(DEEPEST + 1)), Err(ProtocolError::TooDeep));
    assert_eq!(
        scan(&[b"+".as_slice(), &vec![b'a'; LONGEST_LINE]].concat()),
        Err(ProtocolError::MissingLineEnd)
    );
    assert_eq!(scan(b":-9223372036854775808\r\n"), Ok(Some(23)));
}

#[test]
fn a_reply_that_never_ends_is_given_up() {
    let mut scanner = Scanner::new(100);
    let endless = [b"*20\r\n".to_vec(), b":1\r\n:12345678\r\n".repeat(9)].concat();
    assert_eq!(scanner.scan(&endless[..90]), Ok(None));
    assert_eq!(scanner.scan(&endless), Err(ProtocolError::TooLarge { limit: 100 }));
}
