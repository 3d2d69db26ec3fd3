"""Pictures as pure functions: data in; a Plotly figure, an ECharts option or a 3D scene out."""
