import streamlit as st
def read(gan, card):
    st.write("read")
