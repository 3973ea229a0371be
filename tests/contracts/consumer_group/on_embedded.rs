use super::consumer_group_contract;
use crate::position_stream::on_embedded::OnEmbedded;

consumer_group_contract!(OnEmbedded);
