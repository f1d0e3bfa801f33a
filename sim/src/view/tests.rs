//! A page stands alone.

use super::*;
use crate::scenario::Profile;

#[test]
fn a_page_needs_nothing_but_itself() {
    let order = Order::quiet(2, Profile::Raft).upto(3000);
    let page = page(&order.into(), 500);
    for foreign in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    for place in ["/*style*/", "/*script*/", "/*data*/"] {
        assert!(!page.contains(place), "{place} is not filled");
    }
    // What came before the window is told in outline only.
    assert!(page.contains("\"window\":2501"));
    assert_eq!(page.matches("</script>").count(), 2);
}
