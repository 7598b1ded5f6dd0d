"""Calls from files in the shape of Spain's national database of subsidies (BDNS), whose number every public call has.

- `files`        a JSON or CSV file as records
- `records`      a record as facts of an aid, or what is wrong with it
- `plans`        what a record would change here
- `operations`   upload, look, apply

The shape is that of the database's public service for one call ("convocatoria"): codigoBDNS, descripcion, descripcionLeng, organo,
instrumentos, tiposBeneficiarios, sectores, regiones, presupuestoTotal, fechaInicioSolicitud, fechaFinSolicitud, textInicio, textFin,
urlBasesReguladoras, sedeElectronica. Lists of calls (with numeroConvocatoria) and tables with these names as columns are read too.
"""
