import api from './index.js'

export const {
  AttendanceBook, Camera, Engine, FaceAttendError, Gallery, LivenessSession, Receipt, ReceiptKey, RosterDays, Rosters,
  Store, load, models,
} = api
export default api
