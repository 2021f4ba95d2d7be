/** The verbs of a task store as functions of their own, so that a test can replace some of them. */
import type { TaskStore } from '../../server/use-cases/ports.ts'

export function verbsOf(tasks: TaskStore): TaskStore {
  return {
    openTask: (...input) => tasks.openTask(...input),
    recordHop: (...input) => tasks.recordHop(...input),
    findHop: (...input) => tasks.findHop(...input),
    settleHop: (...input) => tasks.settleHop(...input),
    readTask: (...input) => tasks.readTask(...input),
    listTasks: (...input) => tasks.listTasks(...input),
    revokeHop: (...input) => tasks.revokeHop(...input),
    revokePlace: (...input) => tasks.revokePlace(...input),
    endTask: (...input) => tasks.endTask(...input),
    resumeTask: (...input) => tasks.resumeTask(...input),
    beginRevocation: (...input) => tasks.beginRevocation(...input),
    revokeIn: (...input) => tasks.revokeIn(...input),
    finishRevocation: (...input) => tasks.finishRevocation(...input),
    pendingRevocations: () => tasks.pendingRevocations(),
    liveTasks: (...input) => tasks.liveTasks(...input),
  }
}
