/** The parts of ECharts that the console uses; more are added here, and nowhere else. */
import { BarChart, CustomChart, HeatmapChart, LineChart, ScatterChart } from 'echarts/charts'
import { BrushComponent, GridComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent, VisualMapComponent } from 'echarts/components'
import { init, use, type ECharts, type EChartsCoreOption } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'

use([
  BarChart, CustomChart, HeatmapChart, LineChart, ScatterChart,
  BrushComponent, GridComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent, VisualMapComponent,
  SVGRenderer,
])

export { init, type ECharts }
export type Option = EChartsCoreOption
