import streamlit as st
st.title("pix")
