/**
 * The part of the table that is about who may ask this node.
 */

import { AdminCaller } from './admin-access-answers.ts'
import { json, table } from './route-forms.ts'

export const adminAccessRoutes = table({
  getAdminCaller: {
    method: 'GET',
    path: '/v1/admin/caller',
    tag: 'admin',
    role: 'operator',
    summary: 'Who the node takes the caller for',
    responses: { 200: json('Name and role.', AdminCaller) },
  },
})
