DROP TABLE email_tracking_events;
DROP TABLE email_links;
DROP TABLE email_template_versions;
DROP TABLE email_templates;
