"""Text as hypothesis makes it, rich in what Graphviz reads as something else."""

from hypothesis import strategies as st

DRAWABLE = st.text(
    st.one_of(
        st.sampled_from(list('\\"<>&;#NGELTHnlr-/ {}[]|x')),
        st.characters(exclude_categories=["Cc", "Cs", "Cn", "Zs"]),
    ),
    min_size=1,
)
